"""The published SDKs, unmodified, against the real web server: an application only changes the host."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.sdk.environments import node_folder, python_with
from tests.traces.web_server import web_server

HERE = Path(__file__).parent
PYTHON_VERSIONS = ["3.15.0", "4.18.0", "5.0.4"]
NODE_PACKAGES = [
    *(f"@langfuse/{name}@5.11.1" for name in ("client", "otel", "tracing")),
    "@opentelemetry/sdk-trace-node@2",
]
pytestmark = pytest.mark.process


@pytest.fixture
def server(transactional_db, project, api_key):
    with web_server() as address:
        yield address


def _run(command, server, api_key, folder=None):
    """Run a driver and return what it told."""
    environment = {
        "PATH": os.environ["PATH"],
        "LANGFUSE_BASE_URL": server,
        "LANGFUSE_HOST": server,
        "LANGFUSE_PUBLIC_KEY": api_key.public_key,
        "LANGFUSE_SECRET_KEY": "sk-lf-secret",
    }
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1]), done.stderr


def _assert_all_is_there(server, project, api_key, told):
    """What the application did is what the read API and the project hold."""
    api = httpx.Client(base_url=f"{server}/api/public", headers={"Authorization": api_key.basic})
    trace = api.get(f"/traces/{told['trace_id']}").json()
    observations = {row["name"]: row for row in trace["observations"]}
    assert (trace["name"], trace["userId"], trace["sessionId"]) == ("support-agent", "u1", "s1")
    assert (trace["tags"], trace["environment"], trace["release"]) == (["beta"], "staging", "r1")
    assert {name: row["type"] for name, row in observations.items()} == {
        "support-agent": "AGENT",
        "llm": "GENERATION",
        "lookup": "TOOL",
        "fails": "RETRIEVER",
        "picture": "SPAN",
    }
    llm = observations["llm"]
    assert llm["input"] == [{"role": "user", "content": "Where is my order?"}]
    assert (llm["model"], llm["usageDetails"]["total"]) == ("gpt-4o", 1100)
    assert llm["calculatedTotalCost"] == pytest.approx(0.0035)
    assert (observations["fails"]["level"], observations["lookup"]["output"]["status"]) == ("ERROR", "shipped")
    assert project.media.get().uploaded_at is not None
    assert f"id={project.media.get().id}|" in observations["picture"]["input"]["image"]

    assert (told["items"], told["run_items"]) == ([0, 1, 2], 3)
    [run] = api.get("/datasets/folder%2Forders/runs").json()["data"]
    assert (run["name"], run["id"]) == ("run 1", told["dataset_run_id"])
    assert told["prompt"] == "Hi Ada"
    assert project.prompts.get(name="folder/greet").labels.count() == 2

    scores = {score["name"]: score for score in api.get("/v2/scores", params={"limit": 100}).json()["data"]}
    assert {"quality", "correct", "note", "tone", "exact", "accuracy"} <= scores.keys()
    assert (scores["quality"]["value"], scores["quality"]["comment"]) == (0.5, "fair")
    assert (scores["correct"]["value"], scores["correct"]["stringValue"]) == (1, "True")
    assert scores["tone"]["observationId"] == llm["id"]
    assert scores["accuracy"]["datasetRunId"] == told["dataset_run_id"]


@pytest.mark.parametrize("version", PYTHON_VERSIONS)
def test_the_python_sdk_works_unmodified(version, server, project, api_key):
    told, complaints = _run([python_with(f"langfuse=={version}"), HERE / "drive.py"], server, api_key)
    # The SDK swallows its errors and logs them; only the missing prompt is asked for on purpose.
    assert [line for line in complaints.splitlines() if "rror" in line and "missing" not in line] == []
    assert told["auth"] is True
    assert (told["items_before"], told["local_items"]) == (3, 2)
    assert told["missing_prompt"] == "NotFoundError"
    _assert_all_is_there(server, project, api_key, told)


@pytest.mark.skipif(shutil.which("npm") is None, reason="Node and npm are not installed: the JS SDK is not tried.")
def test_the_js_sdk_works_unmodified(server, project, api_key):
    folder = node_folder(*NODE_PACKAGES)
    shutil.copy(HERE / "drive.mjs", folder)
    told, _ = _run(["node", "drive.mjs"], server, api_key, folder)
    assert told["missing_prompt"] is True
    assert told["traces"] == 1
    _assert_all_is_there(server, project, api_key, told)

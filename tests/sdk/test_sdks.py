"""The published SDKs, unmodified, against the real web server: an application only changes the host."""

import pytest

from tests.sdk.environments import python_with
from tests.sdk.running import HERE, langfuse_settings, needs_node, run, run_node

PYTHON_VERSIONS = ["3.15.0", "4.18.0", "5.0.4"]
pytestmark = pytest.mark.process


def _assert_all_is_there(api, project, told):
    """What the application did is what the read API and the project hold."""
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
def test_the_python_sdk_works_unmodified(version, server, api, project, api_key):
    told, complaints = run(
        python_with(f"langfuse=={version}"), HERE / "drive.py", **langfuse_settings(server, api_key)
    )
    # The SDK swallows its errors and logs them; only the missing prompt is asked for on purpose.
    assert [line for line in complaints.splitlines() if "rror" in line and "missing" not in line] == []
    assert told["auth"] is True
    assert (told["items_before"], told["local_items"]) == (3, 2)
    assert told["missing_prompt"] == "NotFoundError"
    _assert_all_is_there(api, project, told)


@needs_node
def test_the_js_sdk_works_unmodified(server, api, project, api_key):
    told, _ = run_node("drive.mjs", **langfuse_settings(server, api_key))
    assert told["missing_prompt"] is True
    assert told["traces"] == 1
    _assert_all_is_there(api, project, told)

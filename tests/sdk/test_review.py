"""The rest of what the SDKs can do, by their API clients: review, prompts, dataset versions, reads, deletes."""

import pytest

from evalapp.traces.models import Observation
from tests.sdk.environments import python_with
from tests.sdk.running import HERE, langfuse_settings, needs_node, run, run_node

pytestmark = pytest.mark.process


def _assert_scores_are_there(api, *, with_correction):
    """Return the scores by name after the checks that all SDKs share."""
    scores = {score["name"]: score for score in api.get("/v2/scores", params={"limit": 100}).json()["data"]}
    quality, tone = scores["quality"], scores["tone"]
    assert (quality["id"], quality["value"], quality["comment"]) == ("score-1", 7, "better")
    assert (tone["stringValue"], tone["value"]) == ("kind", 1)
    assert scores["session"]["sessionId"] == "folder/s 1"
    if with_correction:
        output = scores["output"]
        assert (output["dataType"], output["stringValue"]) == ("CORRECTION", "The better answer")
    return scores


@pytest.mark.parametrize("version", ["3.15.0", "4.18.0", "5.0.4"])
def test_the_whole_python_client(version, server, api, project, api_key):
    major = version[0]
    told, _ = run(
        python_with(f"langfuse=={version}"), HERE / "drive_review.py", major, **langfuse_settings(server, api_key)
    )
    trace_id, observation_id = told.pop("trace_id"), told.pop("observation_id")
    unwanted = told.pop("unwanted")
    assert told.pop("batch_of_traces", [True, 1]) == [True, 1]
    assert told == {
        "configs": ["quality", "tone"],
        "config": ["How it sounds", 10],
        "queues": ["Review"],
        "queue": True,
        "item": ["COMPLETED", trace_id],
        "items": [True],
        "comments": ["Look at *this*."],
        "comment": True,
        "metrics": {"ask": 1, "look": 1},
        "session": True,
        "sessions": ["folder/s 1"],
        "batch": [True, 1, 1],
        "versions": ["x", "y"],
        "kept": {"q": 1},
        "description": "Again",
        "one_item": "a/b c",
        "active": 0,
        "deleted": "Dataset item successfully deleted",
        "prompt": "Hello Ada",
        "first": "Hi {{name}}",
        "cached": "Hi {{name}}",
        "moved": "Hi {{name}}",
        "fallback": "Hey",
        "prompts": [["a/b", [1, 2]]],
        "prompts_after": 0,
    }

    scores = _assert_scores_are_there(api, with_correction=major > "3")
    assert scores["length"]["value"] == 1
    assert "gone" not in scores
    tags = api.get(f"/traces/{trace_id}").json()["tags"]
    assert tags == (["evaluated"] if major < "5" else [])
    assert Observation.objects.filter(trace_id=trace_id, id=observation_id).exists()
    assert [api.get(f"/traces/{one}").status_code for one in unwanted] == [404] * 3


@needs_node
def test_the_javascript_client(server, api, project, api_key):
    told, _ = run_node("drive_review.mjs", **langfuse_settings(server, api_key))
    trace_id, observation_id = told.pop("trace_id"), told.pop("observation_id")
    assert api.get(f"/traces/{told.pop('unwanted')}").status_code == 404
    assert told == {
        "configs": ["quality", "tone"],
        "config": ["How it sounds", 10],
        "item": ["COMPLETED", trace_id],
        "items": [True],
        "comments": ["Look at *this*."],
        "comment": True,
        "metrics": {"ask": 1, "look": 1},
        "session": [True],
        "prompt": "Hello Ada",
        "first": "Hi {{name}}",
        "moved": "Hi {{name}}",
        "fallback": "Hey",
        "prompts_after": 0,
    }
    _assert_scores_are_there(api, with_correction=True)
    assert api.get(f"/observations/{observation_id}").json()["traceId"] == trace_id

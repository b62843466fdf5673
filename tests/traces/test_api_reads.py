"""What the SDKs read back: traces, observations, sessions."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from tests import factories

API = "/api/public"
START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def api(api_key):
    return Client(headers={"Authorization": api_key.basic})


def _get(api, path, status=200, **query):
    response = api.get(f"{API}/{path}", query)
    assert response.status_code == status, response.content
    return response.json()


@pytest.fixture
def trace(project):
    generation = {
        "type": "GENERATION",
        "name": "llm",
        "model": "gpt-4o",
        "input": '[{"role": "user", "content": "hi"}]',
        "output": "not json",
        "usage": '{"input": 10, "output": 5, "total": 15}',
        "cost": '{"input": 0.5, "output": 0.25, "total": 0.75}',
        "total_cost": 0.75,
        "input_tokens": 10,
        "output_tokens": 5,
        "total_tokens": 15,
        "metadata": '{"step": "draft", "long": "' + "x" * 300 + '"}',
        "completion_start_time": START + timedelta(seconds=1.5),
    }
    return factories.make_trace(
        project,
        id="a" * 32,
        start=START,
        observations=[generation, {"type": "TOOL", "name": "lookup", "level": "ERROR"}],
        root_input='{"q": 1}',
        root_output="",
        user_id="u1",
        session_id="s1",
        tags=["x", "y"],
        metadata={"tenant": "acme"},
        total_cost=0.75,
    )


def test_a_trace_has_the_fields_of_generation_1(api, project, trace):
    data = _get(api, f"traces/{trace.id}")
    assert data["htmlPath"] == f"/project/{project.pk}/traces/{trace.id}"
    assert (data["input"], data["output"]) == ({"q": 1}, None)
    assert (data["userId"], data["sessionId"], data["tags"]) == ("u1", "s1", ["x", "y"])
    assert (data["latency"], data["totalCost"], data["timestamp"]) == (3, 0.75, "2026-11-20T12:00:00.000Z")
    assert [row["name"] for row in data["observations"]] == [trace.name, "llm", "lookup"]


def test_an_observation_has_the_fields_of_generation_1(api, trace):
    [data] = _get(api, "observations", type="GENERATION")["data"]
    assert data["input"] == [{"role": "user", "content": "hi"}]
    assert data["output"] == "not json"
    assert data["usage"] == {"unit": "TOKENS", "input": 10, "output": 5, "total": 15}
    assert data["usageDetails"] == {"input": 10, "output": 5, "total": 15}
    assert (data["calculatedInputCost"], data["calculatedTotalCost"], data["inputPrice"]) == (0.5, 0.75, 0.05)
    assert (data["latency"], data["timeToFirstToken"]) == (1, 0.5)
    assert _get(api, f"observations/{data['id']}") == data


def test_the_trace_list_names_observations_by_id_and_leaves_out_what_is_not_asked(api, trace):
    [row] = _get(api, "traces")["data"]
    assert len(row["observations"]) == 3
    [row] = _get(api, "traces", fields="core")["data"]
    assert (row["observations"], row["scores"], row["latency"], row["input"]) == ([], [], -1, None)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"userId": "u1"}, True),
        ({"userId": "u2"}, False),
        ({"tags": ["x", "y"]}, True),
        ({"tags": ["x", "z"]}, False),
        ({"fromTimestamp": "2026-11-20T12:00:00Z"}, True),
        ({"toTimestamp": "2026-11-20T12:00:00Z"}, False),
        ({"environment": "default"}, True),
        ({"environment": "production"}, False),
    ],
)
def test_traces_are_filtered(api, trace, query, found):
    assert _get(api, "traces", **query)["meta"]["totalItems"] == found


def test_traces_are_ordered_and_paged(api, project):
    for name in "bca":
        factories.make_trace(project, name=name)
    page = _get(api, "traces", orderBy="name.asc", limit=2, page=2)
    assert [row["name"] for row in page["data"]] == ["c"]
    assert page["meta"] == {"page": 2, "limit": 2, "totalItems": 3, "totalPages": 2}


@pytest.mark.parametrize(
    "query",
    [{"limit": 101}, {"page": 0}, {"fields": "everything"}, {"orderBy": "name"}, {"fromTimestamp": "yesterday"}],
)
def test_a_bad_trace_query_names_its_parameter(api, project, query):
    assert _get(api, "traces", status=400, **query)["error"][0]["path"] == list(query)


def _narrowed(api, path, *conditions):
    return [row["name"] for row in _get(api, path, filter=json.dumps(conditions))["data"]]


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ({"type": "string", "column": "name", "operator": "contains", "value": "ook"}, ["lookup"]),
        ({"type": "string", "column": "name", "operator": "=", "value": "llm"}, ["llm"]),
        ({"type": "stringOptions", "column": "level", "operator": "any of", "value": ["ERROR"]}, ["lookup"]),
        ({"type": "number", "column": "totalTokens", "operator": ">", "value": 14}, ["llm"]),
        ({"type": "number", "column": "timeToFirstToken", "operator": "<=", "value": 0.5}, ["llm"]),
        ({"type": "number", "column": "inputCost", "operator": "=", "value": 0.5}, ["llm"]),
        ({"type": "null", "column": "model", "operator": "is not null"}, ["llm"]),
        (
            {"type": "stringObject", "column": "metadata", "key": "step", "operator": "=", "value": "draft"},
            ["llm"],
        ),
        ({"type": "string", "column": "userId", "operator": "=", "value": "nobody"}, []),
        ({"type": "arrayOptions", "column": "traceTags", "operator": "none of", "value": ["x"]}, []),
        (
            {"type": "datetime", "column": "startTime", "operator": ">", "value": "2026-11-20T12:00:01Z"},
            ["lookup"],
        ),
    ],
)
@pytest.mark.parametrize("path", ["observations", "v2/observations"])
def test_the_filter_language_of_observations(api, trace, path, condition, names):
    assert _narrowed(api, path, condition) == names


def test_metadata_with_nul_does_not_break_the_filter(api, project):
    factories.make_trace(project, observations=[{"name": "odd", "metadata": '{"step": "a\\u0000b"}'}])
    condition = {"type": "stringObject", "column": "metadata", "key": "step", "operator": "=", "value": "a"}
    assert _narrowed(api, "observations", condition) == []


@pytest.mark.parametrize(
    "condition",
    [
        {"column": "nowhere", "operator": "=", "value": "x"},
        {"column": "name", "operator": "approximately", "value": "x"},
        {"column": "name", "operator": "=", "value": 3},
        {"column": "totalTokens", "operator": ">", "value": "many"},
        {"column": "startTime", "operator": ">", "value": "yesterday"},
        {"column": "latency", "operator": ">", "value": 1e300},
        {"column": "metadata", "operator": "=", "value": "x"},
        "not a condition",
    ],
)
def test_a_bad_condition_is_an_error_in_words(api, trace, condition):
    error = _get(api, "v2/observations", status=400, filter=json.dumps([condition]))
    assert error["error"][0]["path"] == ["filter"]


def test_generation_2_gives_the_asked_groups(api, trace):
    [row] = _get(api, "v2/observations", name="llm")["data"]
    assert {"id", "traceId", "name", "userId", "level"} <= row.keys()
    assert not {"input", "metadata", "usageDetails"} & row.keys()
    [row] = _get(api, "v2/observations", name="llm", fields="core,io,metadata,model,usage,trace_context")["data"]
    assert row["input"] == '[{"role": "user", "content": "hi"}]'
    assert len(row["metadata"]["long"]) == 200
    assert (row["inputPrice"], row["tags"]) == ("0.05", ["x", "y"])
    [row] = _get(api, "v2/observations", name="llm", fields="metadata", expandMetadata="long")["data"]
    assert len(row["metadata"]["long"]) == 300


def test_cursors_walk_every_observation_once(api, trace):
    seen, cursor = [], {}
    while True:
        page = _get(api, "v2/observations", limit=1, **cursor)
        seen += [row["name"] for row in page["data"]]
        if "cursor" not in page["meta"]:
            break
        cursor = {"cursor": page["meta"]["cursor"]}
    assert seen == ["lookup", "llm", trace.name]
    assert _get(api, "v2/observations", status=400, cursor="nonsense")["error"][0]["path"] == ["cursor"]


def test_observations_without_a_parent(api, trace):
    assert [row["name"] for row in _get(api, "v2/observations", parentObservationId="")["data"]] == [trace.name]


def test_a_session_lists_its_traces(api, project, trace):
    project.sessions.create(id="s1", first_seen=START, last_seen=START)
    [row] = _get(api, "sessions")["data"]
    assert row == {
        "id": "s1",
        "createdAt": "2026-11-20T12:00:00.000Z",
        "projectId": project.pk,
        "environment": "default",
    }
    assert [row["id"] for row in _get(api, "sessions/s1")["traces"]] == [trace.id]


def test_a_deleted_trace_is_gone_with_all_that_is_its(api, project, trace):
    project.sessions.create(id="s1", first_seen=START, last_seen=START)
    assert api.delete(f"{API}/traces/{trace.id}").status_code == 200
    assert not project.observations.exists()
    assert not project.sessions.exists()
    error = _get(api, f"traces/{trace.id}", status=404)
    assert error["message"] == f"Trace {trace.id} not found within authorized project"
    assert error["error"] == "LangfuseNotFoundError"


def test_another_projects_rows_do_not_exist(other_project, trace):
    stranger = Client(headers={"Authorization": factories.make_api_key(other_project, "sk-lf-other").basic})
    observation = trace.root_observation_id
    for path in (f"traces/{trace.id}", f"observations/{observation}", "sessions/s1"):
        _get(stranger, path, status=404)
    for path in ("traces", "observations", "v2/observations", "sessions"):
        assert _get(stranger, path)["data"] == []
    stranger.delete(f"{API}/traces", {"traceIds": [trace.id]}, content_type="application/json")
    assert trace.project.observations.count() == 3

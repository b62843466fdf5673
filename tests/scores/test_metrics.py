"""The metrics queries of both generations."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from tests import factories

T0 = datetime(2026, 11, 20, 10, tzinfo=UTC)
COUNT = [{"measure": "count", "aggregation": "count"}]


@pytest.fixture
def api(api_key):
    return Client(headers={"Authorization": api_key.basic})


def _ask(api, status=200, path="v2/metrics", **query):
    response = api.get(f"/api/public/{path}", {"query": json.dumps(query)})
    assert response.status_code == status, response.content
    return response.json()


def _data(api, **query):
    return _ask(api, **query)["data"]


def _call(model, seconds, tokens, **fields):
    end = T0 + timedelta(seconds=seconds)
    return {
        "type": "GENERATION",
        "name": "call",
        "model": model,
        "start_time": T0,
        "end_time": end,
        "input_tokens": tokens,
        "output_tokens": tokens,
        "total_tokens": 2 * tokens,
        "total_cost": tokens / 100,
        "cost": json.dumps({"input": tokens / 200}),
        **fields,
    }


@pytest.fixture
def traces(project):
    calls = [_call("big", 1, 10), _call("big", 3, 30), _call("small", 2, 5)]
    one = factories.make_trace(
        project, id="t1", start=T0, name="chat", user_id="u1", tags=["a"], observations=calls
    )
    two = factories.make_trace(project, id="t2", start=T0 + timedelta(days=1), name="search", user_id="u2")
    make = factories.make_score
    for value, trace in ((0.5, one), (1.0, one), (0.0, two)):
        make(project, trace_id=trace.id, name="accuracy", value=value, timestamp=T0)
    make(project, trace_id="t1", name="ok", data_type="BOOLEAN", value=1.0, string_value="True", timestamp=T0)
    make(
        project, trace_id="t1", name="tone", data_type="CATEGORICAL", value=None, string_value="warm", timestamp=T0
    )


def test_observations_are_counted_by_dimension(api, traces):
    rows = _data(api, view="observations", dimensions=[{"field": "type"}], metrics=COUNT)
    assert rows == [{"type": "GENERATION", "count_count": 3}, {"type": "AGENT", "count_count": 2}]


def test_the_shortest_query_counts(api, traces):
    assert _data(api, view="observations") == [{"count_count": 5}]


def test_measures_are_aggregated_in_milliseconds_tokens_and_dollars(api, traces):
    rows = _data(
        api,
        view="observations",
        dimensions=[{"field": "providedModelName"}],
        metrics=[
            {"measure": "latency", "aggregation": "avg"},
            {"measure": "latency", "aggregation": "p50"},
            {"measure": "latency", "aggregation": "max"},
            {"measure": "totalTokens", "aggregation": "sum"},
            {"measure": "totalCost", "aggregation": "sum"},
            {"measure": "inputCost", "aggregation": "sum"},
            {"measure": "tokensPerSecond", "aggregation": "max"},
        ],
        filters=[{"column": "type", "operator": "=", "value": "GENERATION", "type": "string"}],
        orderBy=[{"field": "sum_totalTokens", "direction": "desc"}],
    )
    assert rows[0] == {
        "providedModelName": "big",
        "avg_latency": 2000,
        "p50_latency": 2000,
        "max_latency": 3000,
        "sum_totalTokens": 80,
        "sum_totalCost": pytest.approx(0.4),
        "sum_inputCost": pytest.approx(0.2),
        "max_tokensPerSecond": 20,
    }
    assert [row["providedModelName"] for row in rows] == ["big", "small"]


def test_what_traces_say_is_a_dimension_of_observations_and_scores(api, traces):
    rows = _data(api, view="observations", dimensions=[{"field": "traceName"}, {"field": "userId"}], metrics=COUNT)
    assert rows[0] == {"traceName": "chat", "userId": "u1", "count_count": 4}
    rows = _data(api, view="scores-numeric", dimensions=[{"field": "tags"}], metrics=COUNT)
    assert rows == [{"tags": ["a"], "count_count": 3}, {"tags": [], "count_count": 1}]


def test_time_is_cut_into_steps(api, traces):
    rows = _data(api, view="traces", metrics=COUNT, timeDimension={"granularity": "day"})
    assert rows == [
        {"time_dimension": "2026-11-20T00:00:00.000Z", "count_count": 1},
        {"time_dimension": "2026-11-21T00:00:00.000Z", "count_count": 1},
    ]
    bounds = {"fromTimestamp": "2026-11-20T00:00:00Z", "toTimestamp": "2026-11-21T00:00:00Z"}
    rows = _data(api, view="traces", metrics=COUNT, timeDimension={"granularity": "auto"}, **bounds)
    assert rows == [{"time_dimension": "2026-11-20T10:00:00.000Z", "count_count": 1}]


def test_traces_are_measured(api, traces):
    metrics = [
        {"measure": "uniqueUserIds", "aggregation": "uniq"},
        {"measure": "scoresCount", "aggregation": "sum"},
        {"measure": "observationsCount", "aggregation": "avg"},
    ]
    assert _data(api, path="metrics", view="traces", metrics=metrics) == [
        {"uniq_uniqueUserIds": 2, "sum_scoresCount": 5, "avg_observationsCount": 2.5}
    ]


def test_scores_are_measured_by_kind(api, traces):
    average = [{"measure": "value", "aggregation": "avg"}, *COUNT]
    rows = _data(api, view="scores-numeric", dimensions=[{"field": "name"}], metrics=average)
    assert {row["name"]: (row["avg_value"], row["count_count"]) for row in rows} == {
        "accuracy": (0.5, 3),
        "ok": (1.0, 1),
    }
    assert _data(api, view="scores-boolean", metrics=average) == [{"avg_value": 1.0, "count_count": 1}]
    rows = _data(api, view="scores-categorical", dimensions=[{"field": "stringValue"}], metrics=COUNT)
    assert rows == [{"stringValue": "warm", "count_count": 1}]


def test_rows_are_limited(api, traces):
    query = {"view": "observations", "dimensions": [{"field": "name"}], "metrics": COUNT}
    rows = _data(api, **query, config={"row_limit": 1})
    assert rows == [{"name": "call", "count_count": 3}]
    assert _ask(api, 400, **query, config={"row_limit": 1001})["error"][0]["path"] == ["config"]


def test_a_histogram_counts_values_in_bins(api, traces):
    metrics = [{"measure": "value", "aggregation": "histogram"}]
    rows = _data(api, view="scores-numeric", metrics=metrics, config={"bins": 2})
    assert rows == [{"histogram_value": [[0.0, 0.5, 1], [0.5, 1.0, 3]]}]
    rows = _data(api, view="scores-numeric", dimensions=[{"field": "name"}], metrics=metrics, config={"bins": 1})
    assert rows == [
        {"name": "accuracy", "histogram_value": [[0.0, 1.0, 3]]},
        {"name": "ok", "histogram_value": [[0.0, 1.0, 1]]},
    ]
    one = _data(api, view="scores-boolean", metrics=metrics, config={"bins": 1})
    assert one == [{"histogram_value": [[1.0, 2.0, 1]]}]
    assert _ask(api, 400, view="scores-numeric", metrics=[*metrics, *COUNT])["error"][0]["path"] == ["metrics"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "view"),
        ({"view": "users"}, "view"),
        ({"view": "traces", "dimensions": [{"field": "id; DROP TABLE"}]}, "dimensions"),
        ({"view": "traces", "dimensions": "name"}, "dimensions"),
        ({"view": "traces", "metrics": [{"measure": "value", "aggregation": "sum"}]}, "metrics"),
        ({"view": "traces", "metrics": [{"measure": "latency", "aggregation": "mode"}]}, "metrics"),
        ({"view": "traces", "metrics": [{"measure": "count", "aggregation": "p95"}]}, "metrics"),
        ({"view": "traces", "timeDimension": {"granularity": "eon"}}, "timeDimension"),
        ({"view": "traces", "fromTimestamp": "then"}, "fromTimestamp"),
        ({"view": "traces", "dimensions": [{"field": "name"}], "orderBy": [{"field": "size"}]}, "orderBy"),
        ({"view": "traces", "filters": json.loads("[" * 900 + "]" * 900)}, "filter"),
        ({"view": "traces", "filters": [{"column": "colour", "operator": "=", "value": "x"}]}, "filter"),
    ],
)
def test_what_makes_no_sense_is_named(api, query, field):
    assert _ask(api, 400, **query)["error"][0]["path"] == [field]


def test_a_query_is_json(api):
    for text in ("", "{", "[]"):
        response = api.get("/api/public/v2/metrics", {"query": text})
        assert (response.status_code, response.json()["error"][0]["path"]) == (400, ["query"])


def test_other_projects_are_not_measured(api, other_project):
    factories.make_trace(other_project)
    factories.make_score(other_project, trace_id="t")
    for view in ("observations", "traces", "scores-numeric"):
        assert _data(api, view=view, metrics=COUNT) == [{"count_count": 0}]

"""The event batch of Python 3, 4 and JS 5, and of SDKs before them."""

import pytest
from django.db import connection
from django.test import Client

from tests import factories

AT = "2026-11-21T10:00:00.000Z"


@pytest.fixture
def api(api_key):
    return Client(headers={"Authorization": api_key.basic})


def _post(api, *batch, status=207):
    response = api.post("/api/public/ingestion", {"batch": list(batch)}, content_type="application/json")
    assert response.status_code == status, response.content
    return response.json()


def _event(id, type, at=AT, /, **body):
    return {"id": id, "type": type, "timestamp": at, "body": body}


def _ok(api, *batch):
    answer = _post(api, *batch)
    assert answer["errors"] == []
    return answer


def _read(api, path):
    response = api.get(f"/api/public/{path}")
    assert response.status_code == 200, response.content
    return response.json()


def test_a_score_takes_the_time_of_its_envelope(api, project):
    body = {"id": "f6aa971d2cf201e8", "traceId": "t", "observationId": "o", "name": "span-score"}
    event = _event("7092d6", "score-create", **body, environment="staging", value=0.5)
    answer = _post(api, event, _event("anonymous", "score-create", traceId="t", name="n", value="good"))
    assert answer == {
        "successes": [{"id": "7092d6", "status": 201}, {"id": "anonymous", "status": 201}],
        "errors": [],
    }
    score = _read(api, "v2/scores/f6aa971d2cf201e8")
    assert (score["timestamp"], score["value"], score["environment"]) == (AT, 0.5, "staging")
    assert _read(api, "v2/scores/anonymous")["stringValue"] == "good"


def test_each_event_has_its_own_fate(api, project):
    answer = _post(
        api,
        _event("1", "score-create", id="s", traceId="t", name="n", value=1),
        _event("2", "score-create", id="s2", traceId="t", name="n", value=3, dataType="BOOLEAN"),
        _event("3", "score-create", id="s3", traceId="t", value=3, configId="gone"),
        _event("4", "made-up"),
        _event("5", "trace-create", id="t", tags="no list"),
        _event("6", "span-create", id="o", traceId="t", level="LOUD"),
        _event("7", "sdk-log", log="hello"),
        _event("8", "span-create", "yesterday", id="o", traceId="t"),
        {"id": "9", "type": "span-create", "timestamp": AT},
        "not an event",
    )
    assert [success["id"] for success in answer["successes"]] == ["1", "7"]
    errors = {error["id"]: error for error in answer["errors"]}
    assert {id: error["status"] for id, error in errors.items() if id.isdigit()} == {
        **dict.fromkeys("24568", 400),
        "3": 404,
        "9": 400,
    }
    assert errors["2"]["message"] == "value: A boolean is 0 or 1."
    assert errors["2"]["error"] == "InvalidRequestError"
    assert errors["6"]["message"].startswith("level: ")
    assert len(answer["errors"]) == 8
    assert project.scores.count() == 1


def test_an_event_that_comes_twice_counts_once(api, project):
    event = _event("1", "score-create", traceId="t", name="n", value=1)
    assert _ok(api, event, event)["successes"] == [{"id": "1", "status": 201}]
    _ok(api, event)
    assert project.scores.count() == 1


def test_a_batch_is_a_list(api):
    response = api.post("/api/public/ingestion", {"batch": {}}, content_type="application/json")
    assert (response.status_code, response.json()["error"][0]["path"]) == (400, ["batch"])


def test_a_trace_may_come_without_observations_and_is_merged(api, project):
    _ok(
        api,
        _event(
            "1",
            "trace-create",
            id="t",
            timestamp="2026-11-21T09:00:00Z",
            name="chat",
            userId="u",
            sessionId="s",
            metadata={"a": 1},
            tags=["x"],
            input={"q": "Hi"},
            environment="prod",
            release="r",
            version="v",
            public=True,
        ),
    )
    _ok(
        api,
        _event("2", "trace-create", "2026-11-21T10:00:01Z", id="t", tags=["y"], metadata={"b": 2}, output="Yo"),
    )
    trace = _read(api, "traces/t")
    assert (trace["timestamp"], trace["latency"]) == ("2026-11-21T09:00:00.000Z", 0)
    assert (trace["name"], trace["userId"], trace["sessionId"], trace["environment"]) == ("chat", "u", "s", "prod")
    assert (trace["tags"], trace["metadata"]) == (["x", "y"], {"a": 1, "b": 2})
    assert (trace["input"], trace["output"], trace["public"]) == ({"q": "Hi"}, "Yo", True)
    assert (trace["observations"], _read(api, "sessions/s")["traces"][0]["id"]) == ([], "t")


def test_tagging_a_trace_leaves_its_duration_alone(api, project):
    span = _event(
        "1", "span-create", id="o", traceId="t", startTime=AT, endTime="2026-11-21T10:00:02Z", name="root"
    )
    _ok(api, span)
    _ok(api, _event("2", "trace-create", "2026-11-21T12:00:00Z", id="t", tags=["late"]))
    trace = _read(api, "traces/t")
    assert (trace["timestamp"], trace["latency"], trace["tags"], trace["name"]) == (AT, 2, ["late"], "root")
    assert len(trace["observations"]) == 1


def test_an_update_keeps_what_it_leaves_out(api, project):
    _ok(
        api,
        _event(
            "1",
            "generation-create",
            id="g",
            traceId="t",
            name="llm",
            startTime=AT,
            model="gpt-4o",
            modelParameters={"temperature": 0},
            input=[{"role": "user", "content": "Hi"}],
            metadata={"a": 1},
        ),
    )
    _ok(
        api,
        _event(
            "2",
            "generation-update",
            "2026-11-21T10:00:03Z",
            id="g",
            traceId="t",
            endTime="2026-11-21T10:00:03Z",
            output="Yo",
            name=None,
            metadata={"b": 2},
            usage={"promptTokens": 10, "completionTokens": 5},
        ),
    )
    row = _read(api, "observations/g")
    assert (row["type"], row["name"], row["model"]) == ("GENERATION", "llm", "gpt-4o")
    assert (row["input"], row["output"]) == ([{"role": "user", "content": "Hi"}], "Yo")
    assert (row["metadata"], row["modelParameters"]) == ({"a": 1, "b": 2}, {"temperature": 0})
    assert row["usageDetails"] == {"input": 10, "output": 5, "total": 15}
    assert (row["startTime"], row["latency"]) == (AT, 3)
    assert row["calculatedTotalCost"] > 0
    trace = _read(api, "traces/t")
    assert (len(trace["observations"]), trace["latency"]) == (1, 3)
    assert trace["totalCost"] == pytest.approx(row["calculatedTotalCost"])


def test_the_events_of_one_batch_apply_in_the_order_of_their_times(api, project):
    _ok(
        api,
        _event("2", "span-update", "2026-11-21T10:00:02Z", id="o", output="late", name="after"),
        _event("1", "span-create", id="o", traceId="t", startTime=AT, name="before", input="early"),
    )
    row = _read(api, "observations/o")
    assert (row["name"], row["input"], row["output"], row["traceId"]) == ("after", "early", "late", "t")


@pytest.mark.parametrize(
    ("type", "body", "stored"),
    [
        ("span-create", {}, "SPAN"),
        ("event-create", {}, "EVENT"),
        ("observation-create", {"type": "GENERATION"}, "GENERATION"),
        ("agent-create", {}, "AGENT"),
        ("tool-create", {}, "TOOL"),
        ("guardrail-create", {}, "GUARDRAIL"),
    ],
)
def test_the_event_or_its_body_says_the_type(api, project, type, body, stored):
    _ok(api, _event("1", type, id="o", traceId="t", **body))
    assert _read(api, "observations/o")["type"] == stored


def test_an_update_finds_the_trace_of_its_observation(api, project):
    _ok(api, _event("1", "span-create", id="o", traceId="t", startTime=AT))
    _ok(api, _event("2", "span-update", id="o", statusMessage="failed", level="ERROR"))
    row = _read(api, "observations/o")
    assert (row["traceId"], row["level"], row["statusMessage"]) == ("t", "ERROR", "failed")
    assert project.traces.get().error_count == 1


def test_given_costs_win_over_the_price_list(api, project):
    usage = {"input": 10, "output": 5, "unit": "TOKENS", "inputCost": 1.5, "totalCost": 2.0}
    _ok(api, _event("1", "generation-create", id="g", traceId="t", model="gpt-4o", usage=usage))
    assert _read(api, "observations/g")["costDetails"] == {"input": 1.5, "total": 2.0}
    details = {"usageDetails": {"input": 1}, "costDetails": {"total": 7}}
    _ok(api, _event("2", "generation-update", id="g", traceId="t", **details))
    assert _read(api, "observations/g")["costDetails"] == {"total": 7.0}


def test_what_cannot_be_stored_is_shown_not_lost(api, project):
    _ok(api, _event("1", "span-create", id="o", traceId="t", input="nul \0", metadata=["no", "object"]))
    row = _read(api, "observations/o")
    assert (row["input"], row["metadata"]) == ("nul \ufffd", {"metadata": ["no", "object"]})


def test_projects_do_not_meet(api, other_project):
    factories.make_trace(other_project, id="theirs", name="theirs")
    _ok(api, _event("1", "trace-create", id="theirs", name="ours"))
    assert other_project.traces.get().name == "theirs"
    assert _read(api, "traces/theirs")["name"] == "ours"


def test_a_browser_sends_scores_and_nothing_else(api_key, project):
    browser = Client(headers={"Authorization": f"Bearer {api_key.public_key}", "Origin": "https://shop.example"})
    score = _event("1", "score-create", traceId="t", name="thumb", value=1)
    assert len(_post(browser, score)["successes"]) == 1
    _post(browser, score, _event("2", "trace-create", id="t"), status=403)
    assert not project.traces.exists()


def test_a_large_batch_costs_few_queries(api, project, django_assert_max_num_queries):
    spans = [
        _event(f"e{n}", "span-create", id=f"o{n}", traceId="t", startTime=AT, input="x" * 1000) for n in range(500)
    ]
    scores = [_event(f"s{n}", "score-create", traceId="t", name="n", value=n) for n in range(500)]
    with django_assert_max_num_queries(25):
        _ok(api, *spans, *scores)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM traces_observation")
        assert cursor.fetchone() == (500,)
    assert project.scores.count() == 500

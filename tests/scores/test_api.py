"""Scores and score configs as the SDKs write and read them."""

import json
from datetime import UTC, datetime

import pytest
from django.test import Client

from tests import factories

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
CATEGORIES = [{"label": "good", "value": 1.0}, {"label": "bad", "value": 0.0}]


@pytest.fixture
def api(api_key):
    return Client(headers={"Authorization": api_key.basic})


@pytest.fixture
def browser(api_key):
    return Client(headers={"Authorization": f"Bearer {api_key.public_key}", "Origin": "https://shop.example"})


def _ask(client, method, path, *args, status=200, **kwargs):
    if method in ("post", "patch"):
        kwargs["content_type"] = "application/json"
    response = getattr(client, method)(f"/api/public/{path}", *args, **kwargs)
    assert response.status_code == status, response.content
    return response.json() if response.content else None


def _post(client, body, status=200):
    return _ask(client, "post", "scores", body, status=status)


def _ids(client, path="v2/scores", **query):
    return {score["id"] for score in _ask(client, "get", path, query)["data"]}


def test_python_5_sends_an_array(api, project):
    body = [
        {
            "id": "a6ac64b69a399577",
            "traceId": "t",
            "name": "num",
            "value": 0.9,
            "comment": "ok",
            "environment": "staging",
            "dataType": "NUMERIC",
            "timestamp": "2026-11-21T04:22:11.563081Z",
            "metadata": {"m": 1},
        },
        {"id": "80d2f9f3ee25f12b", "traceId": "t", "name": "bool", "value": 1.0, "dataType": "BOOLEAN"},
        {"id": "run", "datasetRunId": "e2a209c1ffe83612", "name": "avg", "value": 0.5},
    ]
    assert _post(api, body, status=202) == {"message": "Accepted"}
    score = _ask(api, "get", "v2/scores/a6ac64b69a399577")
    assert score.pop("createdAt") <= score.pop("updatedAt")
    assert score == {
        "id": "a6ac64b69a399577",
        "projectId": project.pk,
        "traceId": "t",
        "observationId": None,
        "sessionId": None,
        "datasetRunId": None,
        "name": "num",
        "value": 0.9,
        "stringValue": None,
        "dataType": "NUMERIC",
        "source": "API",
        "timestamp": "2026-11-21T04:22:11.563081Z",
        "authorUserId": None,
        "comment": "ok",
        "metadata": {"m": 1},
        "configId": None,
        "queueId": None,
        "environment": "staging",
    }
    assert _post(api, [], status=202) == {"message": "Accepted"}


def test_of_an_array_what_is_right_is_stored(api, project):
    body = [
        {"id": "good", "traceId": "t", "name": "n", "value": 1},
        {"id": "bad", "traceId": "t", "name": "n", "value": 2, "dataType": "BOOLEAN"},
        "no object",
        {"id": "lost", "traceId": "t", "name": "n", "value": 1, "configId": "gone"},
    ]
    answer = _post(api, body, status=207)
    assert (answer["accepted"], answer["rejected"]) == (1, 3)
    assert [error["id"] for error in answer["errors"]] == ["bad", None, "lost"]
    assert answer["errors"][0]["message"] == "value: A boolean is 0 or 1."
    assert "gone" in answer["errors"][2]["message"]
    assert list(project.scores.values_list("id", flat=True)) == ["good"]


def test_a_single_score_answers_with_its_id(api, project):
    score_id = _post(api, {"name": "api", "value": 1, "traceId": "t"})["id"]
    assert project.scores.get().id == score_id
    assert _post(api, {"id": "mine", "name": "api", "value": 1, "sessionId": "s"}) == {"id": "mine"}


def test_the_same_id_again_replaces_the_score(api, project):
    for value in (1, 2):
        _post(api, {"id": "s", "name": "n", "value": value, "traceId": "t"})
        _post(api, [{"id": "a", "name": "n", "value": value, "traceId": "t"}], status=202)
    assert list(project.scores.values_list("value", flat=True)) == [2, 2]


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({"value": 1, "dataType": "BOOLEAN"}, {"value": 1.0, "stringValue": "True"}),
        ({"value": 0.0, "dataType": "BOOLEAN"}, {"value": 0.0, "stringValue": "False"}),
        ({"value": "warm"}, {"value": 0, "stringValue": "warm", "dataType": "CATEGORICAL"}),
        ({"value": "a note", "dataType": "TEXT"}, {"stringValue": "a note"}),
        ({"value": "better", "dataType": "CORRECTION"}, {"name": "output", "value": 0, "stringValue": "better"}),
        ({"value": 3}, {"value": 3.0, "dataType": "NUMERIC", "stringValue": None}),
        ({"value": 3, "metadata": "plain"}, {"metadata": {"metadata": "plain"}}),
        ({"value": 3, "environment": "Langfuse-Prod"}, {"environment": "prod"}),
        ({"value": 3, "environment": "not valid!"}, {"environment": "default"}),
    ],
)
def test_each_data_type_reads_back_as_the_sdks_expect(api, fields, shown):
    score_id = _post(api, {"name": "n", "traceId": "t", "dataType": None} | fields)["id"]
    score = _ask(api, "get", f"v2/scores/{score_id}")
    assert {name: score[name] for name in shown} == shown
    assert ("value" in score) == (score["dataType"] != "TEXT")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"value": None}, "value"),
        ({"value": "x", "dataType": "NUMERIC"}, "value"),
        ({"value": 10**400}, "value"),
        ({"value": [1]}, "value"),
        ({"name": ""}, "name"),
        ({"name": 7}, "name"),
        ({"name": "nul\0"}, "name"),
        ({"dataType": "STARS"}, "dataType"),
        ({"source": "EVAL"}, "source"),
        ({"source": "ANNOTATION"}, "configId"),
        ({"traceId": None, "sessionId": "s", "observationId": "o"}, "observationId"),
        ({"traceId": "t" * 256}, "traceId"),
        ({"timestamp": "yesterday"}, "timestamp"),
        ({"metadata": {"a": "\0"}}, "metadata"),
    ],
)
def test_a_score_that_breaks_a_rule_is_refused_by_field(api, project, fields, field):
    error = _post(api, {"name": "n", "value": 1, "traceId": "t"} | fields, status=400)
    assert error["message"] == "Invalid request data"
    assert [issue["path"] for issue in error["error"]] == [[field]]
    assert not project.scores.exists()


@pytest.mark.parametrize("subject", [{}, {"traceId": "t", "sessionId": "s"}, {"observationId": "o"}])
def test_a_score_has_exactly_one_subject(api, subject):
    assert (
        "exactly one subject" in _post(api, {"name": "n", "value": 1} | subject, status=400)["error"][0]["message"]
    )


def test_a_config_decides_name_type_and_value(api, project):
    config = factories.make_config(project, "Tone", "CATEGORICAL", categories=CATEGORIES)
    body = {"name": "whatever", "value": "good", "traceId": "t", "configId": config.pk, "source": "ANNOTATION"}
    score = _ask(api, "get", f"v2/scores/{_post(api, body)['id']}")
    assert (score["name"], score["dataType"], score["value"], score["stringValue"]) == (
        "Tone",
        "CATEGORICAL",
        1.0,
        "good",
    )
    assert (score["configId"], score["source"]) == (config.pk, "ANNOTATION")
    assert _post(api, body | {"value": "odd"}, status=400)["error"][0]["path"] == ["value"]
    assert _post(api, body | {"dataType": "NUMERIC"}, status=400)["error"][0]["path"] == ["dataType"]
    config.archived_at = NOON
    config.save()
    assert _post(api, body, status=400)["error"][0]["path"] == ["configId"]
    alien = factories.make_config(factories.make_project("Elsewhere"))
    assert _post(api, body | {"configId": alien.pk}, status=404)["error"] == "LangfuseNotFoundError"


META = {"type": "stringObject", "column": "metadata", "key": "k", "operator": "=", "value": "v"}
NO_TRACE = {"type": "null", "column": "traceId", "operator": "is null", "value": ""}
HIGH = {"type": "number", "column": "value", "operator": ">", "value": 0.8}
TAGGED = {"type": "arrayOptions", "column": "tags", "operator": "any of", "value": ["a"]}


@pytest.fixture
def scores(project, ada):
    trace = factories.make_trace(project, id="t1", user_id="u1", tags=["a", "b"], session_id="s1")
    config = factories.make_config(project, "Tone")
    make = factories.make_score
    make(project, id="low", trace_id=trace.id, value=0.2, name="num", timestamp=NOON)
    make(project, id="high", trace_id="t2", observation_id="o2", value=0.9, name="num", environment="prod")
    make(project, id="session", session_id="s1", value=0.5, metadata={"k": "v"})
    make(project, id="run", dataset_run_id="r1", value=None, string_value="ok", data_type="CATEGORICAL")
    make(project, id="human", trace_id=trace.id, config=config, author=ada, queue_id="q", data_type="BOOLEAN")


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ({"userId": "u1"}, {"low", "human"}),
        ({"name": "num"}, {"low", "high"}),
        ({"toTimestamp": "2026-11-21T12:00:00.001Z", "fromTimestamp": "2026-11-21T12:00:00Z"}, {"low"}),
        ({"environment": ["prod", "staging"]}, {"high"}),
        ({"operator": ">=", "value": "0.5", "dataType": "NUMERIC"}, {"high", "session"}),
        ({"value": "0.2"}, {"low"}),
        ({"scoreIds": "low,run"}, {"low", "run"}),
        ({"sessionId": "s1"}, {"session"}),
        ({"datasetRunId": "r1"}, {"run"}),
        ({"traceId": "t2", "observationId": "o2"}, {"high"}),
        ({"queueId": "q"}, {"human"}),
        ({"dataType": "CATEGORICAL"}, {"run"}),
        ({"traceTags": ["a", "b"]}, {"low", "human"}),
        ({"traceTags": "a,c"}, set()),
        ({"filter": [META]}, {"session"}),
        ({"filter": [NO_TRACE]}, {"session", "run"}),
        ({"filter": [HIGH, TAGGED]}, {"human"}),
    ],
)
def test_v2_narrows_by(api, scores, query, ids):
    if "filter" in query:
        query = {"filter": json.dumps(query["filter"])}
    assert _ids(api, **query) == ids


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"source": "HUMAN"}, "source"),
        ({"operator": "~", "value": "1"}, "operator"),
        ({"value": "many"}, "value"),
        ({"fromTimestamp": "noon"}, "fromTimestamp"),
        ({"fields": "score,all"}, "fields"),
        ({"limit": "101"}, "limit"),
        ({"filter": '[{"column": "colour"}]'}, "filter"),
    ],
)
def test_a_filter_that_makes_no_sense_is_named(api, query, field):
    assert _ask(api, "get", "v2/scores", query, status=400)["error"][0]["path"] == [field]


def test_a_list_tells_of_the_traces_and_pages(api, scores):
    page = _ask(api, "get", "v2/scores", {"scoreIds": "low,session", "limit": 1})
    assert page["meta"] == {"page": 1, "limit": 1, "totalItems": 2, "totalPages": 2}
    rows = {row["id"]: row for row in _ask(api, "get", "v2/scores")["data"]}
    assert rows["low"]["trace"] | {"name": None} == {
        "userId": "u1",
        "tags": ["a", "b"],
        "environment": "default",
        "sessionId": "s1",
        "name": None,
    }
    assert rows["session"]["trace"]["userId"] is None
    assert "trace" not in _ask(api, "get", "v2/scores", {"fields": "score"})["data"][0]


def test_generation_1_knows_the_scores_of_traces_alone(api, scores):
    assert _ids(api, "scores") == {"low", "high", "human"}
    assert _ask(api, "get", "scores/low")["id"] == "low"


def test_a_trace_is_read_with_its_scores(api, scores):
    trace = _ask(api, "get", "traces/t1")
    assert {score["id"] for score in trace["scores"]} == {"low", "human"}
    assert trace["scores"][1]["value"] in (0.2, 1.0)
    (row,) = _ask(api, "get", "traces")["data"]
    assert set(row["scores"]) == {"low", "human"}


def test_a_score_is_deleted(api, scores):
    _ask(api, "delete", "scores/low", status=202)
    _ask(api, "delete", "scores/low", status=404)
    assert _ask(api, "get", "v2/scores/low", status=404)["error"] == "LangfuseNotFoundError"


def test_other_projects_scores_do_not_exist(api, other_project):
    factories.make_score(other_project, id="theirs", trace_id="t")
    assert _ids(api) == set()
    for method, path in (("get", "v2/scores/theirs"), ("get", "scores/theirs"), ("delete", "scores/theirs")):
        _ask(api, method, path, status=404)
    _post(api, {"id": "theirs", "name": "n", "value": 5, "traceId": "t"})
    assert other_project.scores.get().value == 1


def test_a_browser_sends_scores_with_the_public_key(browser, project):
    body = {"id": "s", "traceId": "t", "name": "thumb", "value": 1}
    response = browser.post("/api/public/scores", body, content_type="application/json")
    assert (response.status_code, response["Access-Control-Allow-Origin"]) == (200, "*")
    assert project.scores.get().name == "thumb"
    _post(browser, [{"id": "s2", "traceId": "t", "name": "thumb", "value": 1}], status=202)


def test_a_browser_asks_first(db):
    headers = {
        "Origin": "https://shop.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,x-langfuse-sdk-name",
    }
    for path in ("scores", "ingestion"):
        response = Client().options(f"/api/public/{path}", headers=headers)
        assert (response.status_code, response["Access-Control-Allow-Origin"]) == (200, "*")
        assert "authorization" in response["Access-Control-Allow-Headers"]
        assert "Access-Control-Allow-Credentials" not in response
    assert "Access-Control-Allow-Origin" not in Client().options("/api/public/v2/scores", headers=headers)


def test_a_public_key_alone_may_do_nothing_else(browser, project, scores):
    for method, path in (
        ("get", "scores"),
        ("get", "v2/scores"),
        ("get", "v3/scores"),
        ("delete", "scores/low"),
        ("get", "traces"),
        ("get", "projects"),
        ("post", "score-configs"),
        ("post", "otel/v1/traces"),
    ):
        assert _ask(browser, method, path, status=403)["error"] == "ForbiddenError"
    config = project.score_configs.get()
    body = {"name": "n", "value": 1, "traceId": "t", "configId": config.pk, "source": "ANNOTATION"}
    _post(browser, body, status=403)
    project.scores.filter(id="human").update(source="ANNOTATION")
    _post(browser, {"id": "human", "name": "n", "value": 0, "traceId": "t1"}, status=403)
    assert project.scores.get(id="human").value == 1


def test_an_unknown_public_key_is_refused(db):
    client = Client(headers={"Authorization": "Bearer pk-lf-nobody"})
    assert _post(client, {}, status=401)["error"] == "UnauthorizedError"


def _configure(api, status=200, **fields):
    return _ask(api, "post", "score-configs", {"name": "q", "dataType": "NUMERIC"} | fields, status=status)


def test_a_score_config_is_made_and_read(api, project):
    made = _configure(api, dataType="CATEGORICAL", categories=CATEGORIES)
    assert made["createdAt"] <= made["updatedAt"]
    assert {name: made[name] for name in made if name not in ("id", "createdAt", "updatedAt")} == {
        "name": "q",
        "projectId": project.pk,
        "dataType": "CATEGORICAL",
        "isArchived": False,
        "minValue": None,
        "maxValue": None,
        "categories": CATEGORIES,
        "description": None,
    }
    assert _ask(api, "get", f"score-configs/{made['id']}") == made
    page = _ask(api, "get", "score-configs")
    assert (page["data"], page["meta"]["totalItems"]) == ([made], 1)
    boolean = _configure(api, name="b", dataType="BOOLEAN")
    assert boolean["categories"] == [{"label": "True", "value": 1}, {"label": "False", "value": 0}]
    assert _configure(api, name="n", minValue=1, maxValue=5, description="Stars")["maxValue"] == 5


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "n" * 36}, "name"),
        ({"dataType": "CORRECTION"}, "dataType"),
        ({"minValue": 2, "maxValue": 1}, "maxValue"),
        ({"minValue": "low"}, "minValue"),
        ({"categories": CATEGORIES}, "categories"),
        ({"dataType": "BOOLEAN", "categories": CATEGORIES}, "categories"),
        ({"dataType": "CATEGORICAL"}, "categories"),
        ({"dataType": "CATEGORICAL", "categories": [CATEGORIES[0]] * 2}, "categories"),
        ({"dataType": "CATEGORICAL", "categories": [{"label": "a"}]}, "categories"),
        ({"dataType": "TEXT", "minValue": 1}, "minValue"),
    ],
)
def test_a_score_config_that_breaks_a_rule_is_refused_by_field(api, project, fields, field):
    assert _configure(api, status=400, **fields)["error"][0]["path"] == [field]
    assert not project.score_configs.exists()


def test_a_score_config_is_changed_archived_and_restored(api):
    config = _configure(api, description="old")
    path = f"score-configs/{config['id']}"
    changed = _ask(api, "patch", path, {"minValue": 1, "name": "p"})
    assert (changed["minValue"], changed["name"], changed["description"]) == (1, "p", "old")
    assert _ask(api, "patch", path, {"isArchived": True})["isArchived"] is True
    taken = _configure(api, name="p")
    assert _ask(api, "patch", path, {"isArchived": False}, status=400)["error"][0]["path"] == ["name"]
    assert _ask(api, "patch", path, {"isArchived": False, "name": "r"})["isArchived"] is False
    assert _configure(api, status=400, name="r")["error"][0]["path"] == ["name"]
    _ask(api, "patch", path, {}, status=400)
    assert _ask(api, "patch", path, {"dataType": "TEXT", "name": "x"}, status=400)["error"][0]["path"] == [
        "dataType"
    ]
    assert _ask(api, "patch", path, {"categories": CATEGORIES}, status=400)["error"][0]["path"] == ["categories"]
    assert _ask(api, "get", f"score-configs/{taken['id']}")["name"] == "p"


def test_other_projects_configs_do_not_exist(api, other_project):
    config = factories.make_config(other_project)
    assert _ask(api, "get", "score-configs")["data"] == []
    _ask(api, "get", f"score-configs/{config.pk}", status=404)
    _ask(api, "patch", f"score-configs/{config.pk}", {"name": "mine"}, status=404)

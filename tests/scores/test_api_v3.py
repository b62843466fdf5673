"""Scores as Python 5 reads them."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from tests import factories
from tests.factories import DataType

URL = "/api/public/v3/scores"
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def api(api_key):
    return Client(headers={"Authorization": api_key.basic})


def _get(api, status=200, **query):
    response = api.get(URL, query)
    assert response.status_code == status, response.content
    return response.json()


def _ids(api, **query):
    return {score["id"] for score in _get(api, **query)["data"]}


def test_a_score_has_its_core_and_the_groups_that_are_asked_for(api, project, ada):
    score = factories.make_score(
        project,
        id="s",
        trace_id="t",
        observation_id="o",
        comment="c",
        metadata={"m": 1},
        author=ada,
        timestamp=NOON,
    )
    core = {
        "id": "s",
        "projectId": project.pk,
        "name": "Correct",
        "value": 1.0,
        "dataType": "NUMERIC",
        "source": "API",
        "timestamp": "2026-11-21T12:00:00.000Z",
        "environment": "default",
    }
    shown = _get(api)
    assert shown["meta"] == {"limit": 50}
    shown = shown["data"][0]
    assert shown.pop("createdAt") <= shown.pop("updatedAt")
    assert shown == core
    shown = _get(api, fields="details,subject,annotation")["data"][0]
    assert (shown["comment"], shown["configId"], shown["metadata"]) == ("c", None, {"m": 1})
    assert shown["subject"] == {"kind": "observation", "id": "o", "traceId": "t"}
    assert (shown["authorUserId"], shown["queueId"]) == (str(score.author_id), None)


def test_values_have_the_type_of_their_score(api, project):
    make = factories.make_score
    make(project, id="b", trace_id="t", data_type=DataType.BOOLEAN, value=1, string_value="True")
    make(project, id="c", trace_id="t", data_type=DataType.CATEGORICAL, value=2, string_value="good")
    make(project, id="t", session_id="s", data_type=DataType.TEXT, value=None, string_value="a note")
    make(project, id="n", dataset_run_id="r", value=0.5)
    data = {score["id"]: score for score in _get(api, fields="subject")["data"]}
    values = {score_id: score["value"] for score_id, score in data.items()}
    assert values == {"b": True, "c": "good", "t": "a note", "n": 0.5}
    assert values["b"] is True
    assert data["t"]["subject"] == {"kind": "session", "id": "s"}
    assert data["n"]["subject"] == {"kind": "experiment", "id": "r"}
    assert data["b"]["subject"] == {"kind": "trace", "id": "t"}


def test_a_cursor_walks_through_scores_of_one_moment(api, project):
    for number in range(5):
        factories.make_score(project, id=f"s{number}", trace_id="t", timestamp=NOON)
    seen, cursor = [], {}
    while cursor is not None:
        page = _get(api, limit=2, **cursor)
        seen += [score["id"] for score in page["data"]]
        cursor = {"cursor": page["meta"]["cursor"]} if "cursor" in page["meta"] else None
    assert seen == ["s4", "s3", "s2", "s1", "s0"]


def test_filters_narrow(api, project, other_project):
    make = factories.make_score
    make(project, id="a", trace_id="t1", name="tone", value=0.2, timestamp=NOON)
    make(project, id="b", trace_id="t2", observation_id="o", name="exact", value=0.8, timestamp=NOON)
    make(project, id="c", dataset_run_id="r", data_type=DataType.BOOLEAN, timestamp=NOON + timedelta(hours=1))
    make(other_project, id="d", trace_id="t1", timestamp=NOON)
    assert _ids(api) == {"a", "b", "c"}
    assert _ids(api, name="tone,exact") == {"a", "b"}
    assert _ids(api, traceId="t1") == {"a"}
    assert _ids(api, traceId="t2", observationId="o") == {"b"}
    assert _ids(api, experimentId="r") == _ids(api, dataType="BOOLEAN", value="true") == {"c"}
    assert _ids(api, dataType="NUMERIC", valueMin="0.5") == {"b"}
    assert _ids(api, fromTimestamp="2026-11-21T13:00:00Z") == {"c"}
    assert _ids(api, toTimestamp="2026-11-21T13:00:00Z") == {"a", "b"}


@pytest.mark.parametrize(
    "query",
    [
        {"traceId": "t", "sessionId": "s"},
        {"observationId": "o"},
        {"valueMin": "0.5"},
        {"dataType": "NUMERIC", "valueMax": "nan"},
        {"dataType": "NUMERIC,BOOLEAN", "value": "1"},
        {"dataType": "nonsense"},
        {"source": "nonsense"},
        {"fields": "nonsense"},
        {"limit": 101},
        {"cursor": "nonsense"},
        {"authorUserId": "x"},
        {"name": "\x00"},
    ],
)
def test_queries_that_make_no_sense_are_400(api, query):
    _get(api, 400, **query)

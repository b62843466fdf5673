"""Datasets as the SDKs write and read them."""

import json
import re
from urllib.parse import quote

import pytest
from django.test import Client

from tests import factories

ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(\d{3})?Z")
API = "/api/public"


@pytest.fixture
def api(api_key):
    return Client(headers={"Authorization": api_key.basic})


@pytest.fixture
def stranger(other_project):
    return Client(headers={"Authorization": factories.make_api_key(other_project).basic})


def _post(api, path, body, status=200):
    response = api.post(f"{API}/{path}", json.dumps(body), content_type="application/json")
    assert response.status_code == status, response.content
    return response.json()


def _get(api, path, status=200, **query):
    response = api.get(f"{API}/{path}", query)
    assert response.status_code == status, response.content
    return response.json()


def _dataset(api, name="qa", **fields):
    return _post(api, "v2/datasets", {"name": name, **fields})


def _item(api, id=None, dataset="qa", status=200, **fields):
    body = {"datasetName": dataset, "id": id, **fields}
    return _post(api, "dataset-items", body, status)


def _ids(api, **query):
    return [item["id"] for item in _get(api, "dataset-items", **query)["data"]]


def test_a_dataset_has_every_field_the_sdks_require(api, project):
    created = _dataset(api, "folder/my ds", description="d", metadata={"k": "v"}, inputSchema={"type": "object"})
    assert ISO.fullmatch(created.pop("createdAt"))
    assert ISO.fullmatch(created.pop("updatedAt"))
    assert created.pop("id")
    assert created == {
        "name": "folder/my ds",
        "description": "d",
        "metadata": {"k": "v"},
        "inputSchema": {"type": "object"},
        "expectedOutputSchema": None,
        "projectId": project.pk,
    }


def test_an_item_has_every_field_the_sdks_require(api):
    dataset = _dataset(api)
    item = _item(api, "i1", input={"q": 1}, expectedOutput="a", metadata=None, sourceTraceId="t", status=200)
    assert ISO.fullmatch(item["createdAt"])
    assert item.pop("createdAt") == item.pop("updatedAt") == item.pop("version")
    assert item == {
        "id": "i1",
        "status": "ACTIVE",
        "input": {"q": 1},
        "expectedOutput": "a",
        "metadata": None,
        "sourceTraceId": "t",
        "sourceObservationId": None,
        "datasetId": dataset["id"],
        "datasetName": "qa",
        "mediaReferences": [],
    }
    assert _get(api, "dataset-items/i1")["input"] == {"q": 1}


def test_the_same_name_changes_the_dataset_and_null_keeps(api):
    first = _dataset(api, description="d", metadata={"a": 1})
    second = _dataset(api, description=None, metadata={"b": 2})
    assert (second["id"], second["description"], second["metadata"]) == (first["id"], "d", {"b": 2})
    assert _get(api, "v2/datasets")["meta"]["totalItems"] == 1


@pytest.mark.parametrize("name", ["folder/my ds", "100% & more?", "ünï/コード", "a%2Fb", "a/runs/b", "x/runs"])
def test_any_name_is_found_by_its_encoded_path(api, name):
    created = _dataset(api, name)
    assert _get(api, f"v2/datasets/{quote(name, safe='')}")["id"] == created["id"]
    _item(api, "i", dataset=name, input=1)
    assert _ids(api, datasetName=name) == ["i"]


@pytest.mark.parametrize("name", ["", "/a", "a/", "a//b", " a", "a\x00b", "x" * 256, None, 5.5, ["a"]])
def test_names_that_make_no_folder_are_refused(api, name):
    assert _post(api, "v2/datasets", {"name": name}, 400)["message"] == "Invalid request data"


def test_a_missing_dataset_is_404_with_the_name_the_sdks_look_for(api):
    error = _get(api, "v2/datasets/nope", 404)
    assert (error["message"], error["error"]) == ("Dataset not found", "LangfuseNotFoundError")
    assert _item(api, dataset="nope", input=1, status=404)["error"] == "LangfuseNotFoundError"
    assert _get(api, "dataset-items", 404, datasetName="nope")["error"] == "LangfuseNotFoundError"
    assert _get(api, "dataset-items/nope", 404)["error"] == "LangfuseNotFoundError"


def test_null_keeps_what_an_item_has(api):
    _dataset(api)
    _item(api, "i", input={"q": 1}, expectedOutput="a", metadata={"m": 1}, sourceTraceId="t")
    nulls = dict.fromkeys(["input", "metadata", "sourceTraceId", "sourceObservationId", "status"])
    item = _post(
        api, "dataset-items", {"datasetName": "qa", "id": "i", "status": None, "expectedOutput": "b", **nulls}
    )
    assert (item["input"], item["expectedOutput"], item["metadata"]) == ({"q": 1}, "b", {"m": 1})
    assert (item["sourceTraceId"], item["status"]) == ("t", "ACTIVE")
    assert item["updatedAt"] > item["createdAt"]


@pytest.mark.parametrize("empty", [0, False, "", [], {}])
def test_an_empty_value_is_not_null(api, empty):
    _dataset(api)
    _item(api, "i", input={"q": 1})
    assert _item(api, "i", input=empty)["input"] == empty


def test_payloads_come_back_as_they_were_sent(api):
    _dataset(api)
    value = {"z": 1, "a": ["\x00", "\ud800", 2**80, 1.5, None, True, "ü"], "": {}}
    assert _item(api, "i", input=value)["input"] == value
    again = _get(api, "dataset-items", datasetName="qa")["data"][0]["input"]
    assert again == value
    assert list(again) == ["z", "a", ""]


def test_an_id_of_another_dataset_is_a_conflict(api):
    _dataset(api)
    _dataset(api, "other")
    _item(api, "i", input=1)
    body = {"datasetName": "other", "id": "i", "input": 2}
    assert _post(api, "dataset-items", body, 409)["error"] == "LangfuseConflictError"
    assert _ids(api, datasetName="other") == []


def test_a_deleted_id_may_live_again_in_either_dataset(api):
    _dataset(api)
    _dataset(api, "other")
    before = _item(api, "i", input=1, metadata={"m": 1})
    assert api.delete(f"{API}/dataset-items/i").json() == {"message": "Dataset item successfully deleted"}
    assert api.delete(f"{API}/dataset-items/i").status_code == 404
    assert _item(api, "i", dataset="other", input=2)["metadata"] is None
    assert _ids(api, datasetName="qa", version=before["version"]) == ["i"]
    assert _ids(api, datasetName="qa") == []


def test_archived_items_are_not_listed_but_kept(api):
    _dataset(api)
    _item(api, "i", input=1)
    _post(api, "dataset-items", {"datasetName": "qa", "id": "i", "status": "ARCHIVED"})
    assert _ids(api, datasetName="qa") == []
    assert _get(api, "dataset-items/i")["status"] == "ARCHIVED"


def test_lists_are_newest_first_with_exact_pages(api):
    _dataset(api)
    for number in range(5):
        _item(api, f"i{number}", input=number)
    page = _get(api, "dataset-items", datasetName="qa", page=2, limit=2)
    assert [item["id"] for item in page["data"]] == ["i2", "i1"]
    assert page["meta"] == {"page": 2, "limit": 2, "totalItems": 5, "totalPages": 3}


def test_sources_filter_the_items_of_all_datasets(api):
    _dataset(api)
    _dataset(api, "other")
    _item(api, "a", input=1, sourceTraceId="t1", sourceObservationId="o1")
    _item(api, "b", dataset="other", input=1, sourceTraceId="t1")
    assert _ids(api, sourceTraceId="t1") == ["b", "a"]
    assert _ids(api, sourceTraceId="t1", sourceObservationId="o1") == ["a"]


def test_a_version_needs_its_dataset_and_a_time(api):
    _dataset(api)
    assert _get(api, "dataset-items", 400, version="2026-01-01T12:00:00Z")["error"][0]["path"] == ["version"]
    assert _get(api, "dataset-items", 400, datasetName="qa", version="yesterday")["error"][0]["path"] == [
        "version"
    ]
    assert _ids(api, datasetName="qa", version="2026-01-01T12:00:00+02:00") == []


def test_each_version_that_was_answered_reads_back_exactly(api):
    _dataset(api)
    answers = [_item(api, f"i{number % 3}", input=number) for number in range(9)]
    for number, answer in enumerate(answers):
        items = _get(api, "dataset-items", datasetName="qa", version=answer["version"])["data"]
        expected = {f"i{past % 3}": past for past in range(number + 1)}
        assert {item["id"]: item["input"] for item in items} == expected


def test_versions_are_whole_milliseconds_because_javascript_sends_no_more(api):
    _dataset(api)
    versions = [_item(api, input=number)["version"] for number in range(4)]
    assert len(set(versions)) == 4
    assert all(re.search(r"\.\d{3}Z$", version) for version in versions)


def test_a_schema_refuses_items_and_says_where(api):
    schema = {"type": "object", "properties": {"q": {"type": "string"}}, "required": ["q"]}
    _dataset(api, inputSchema=schema, expectedOutputSchema={"type": "string"})
    error = _item(api, "i", input={"q": 5}, expectedOutput="a", status=400)
    assert error["message"] == "Invalid request data"
    assert error["error"] == [{"path": ["input", "q"], "message": "5 is not of type 'string'"}]
    assert _item(api, "i", input={"q": "x"}, expectedOutput=None)["input"] == {"q": "x"}


def test_a_schema_must_fit_the_items_that_are_there(api):
    _dataset(api)
    _item(api, "good", input={"q": "x"})
    _item(api, "bad", input=5)
    error = _post(api, "v2/datasets", {"name": "qa", "inputSchema": {"type": "object"}}, 400)
    assert error["error"] == [{"path": ["items", "bad", "input"], "message": "5 is not of type 'object'"}]
    assert _get(api, "v2/datasets/qa")["inputSchema"] is None


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "nonsense"},
        {"pattern": "("},
        [],
        True,
        {"$ref": "http://127.0.0.1:9/schema.json"},
        {"properties": {"a": {"items": [{"$ref": "file:///etc/passwd"}]}}},
    ],
)
def test_what_is_no_schema_or_points_elsewhere_is_refused(api, schema):
    error = _post(api, "v2/datasets", {"name": "qa", "inputSchema": schema}, 400)
    assert error["error"][0]["path"] == ["inputSchema"]


@pytest.mark.parametrize("schema", [{"$ref": "#"}, {"$ref": "#/$defs/gone"}, {"$ref": "elsewhere.json"}])
def test_a_schema_that_cannot_judge_refuses_rather_than_fails(api, schema):
    _dataset(api, inputSchema=schema)
    assert "schema" in _item(api, input=1, status=400)["error"][0]["message"]


def test_references_within_a_schema_work(api):
    schema = {"$ref": "#/$defs/q", "$defs": {"q": {"type": "string"}}}
    _dataset(api, inputSchema=schema)
    _item(api, input="x")
    _item(api, input=1, status=400)


def test_thousands_of_items_are_one_version_in_the_order_they_came(api, django_assert_max_num_queries):
    _dataset(api)
    items = [{"id": f"i{number:04}", "input": {"n": number}} for number in reversed(range(3000))]
    with django_assert_max_num_queries(25):
        answer = _post(api, "dataset-items", {"datasetName": "qa", "items": items})
    assert (answer["count"], answer["ids"][0], len(set(answer["ids"]))) == (3000, "i2999", 3000)
    page = _get(api, "dataset-items", datasetName="qa", version=answer["version"], limit=2)
    assert page["meta"]["totalItems"] == 3000
    assert [item["id"] for item in page["data"]] == ["i2999", "i2998"]


def test_many_items_are_written_all_or_not_at_all(api):
    _dataset(api, inputSchema={"type": "string"})
    items = [{"id": "a", "input": "fine"}, {"id": "b", "input": 5}]
    error = _post(api, "dataset-items", {"datasetName": "qa", "items": items}, 400)
    assert error["error"] == [{"path": ["items", 1, "input"], "message": "5 is not of type 'string'"}]
    doubled = [{"id": "a", "input": "x"}, {"id": "a", "input": "y"}]
    _post(api, "dataset-items", {"datasetName": "qa", "items": doubled}, 400)
    assert _ids(api, datasetName="qa") == []


def test_a_body_of_20_mb_is_taken_and_a_larger_one_refused(api, settings):
    _dataset(api)
    _item(api, "big", input="x" * 20_000_000)
    assert len(_get(api, "dataset-items/big")["input"]) == 20_000_000
    settings.API_MAX_BODY_BYTES = 1000
    assert _item(api, "big", input="x" * 1000, status=413)["error"] == "PayloadTooLargeError"


@pytest.mark.parametrize(
    "body",
    ["", "[", "NaN", '{"a": NaN}', "5", "null", "[]", '"x"', "[" * 5000, b"\xff\xfe{", '{"datasetName": 5}'],
)
def test_bodies_that_are_not_an_item_are_400(api, body):
    for path in ("dataset-items", "v2/datasets"):
        response = api.post(f"{API}/{path}", body, content_type="application/json")
        assert response.status_code == 400, (path, response.content)
        assert response.json()["message"]


@pytest.mark.parametrize(
    "query", [{"page": 0}, {"page": "x"}, {"limit": 101}, {"limit": -1}, {"datasetName": "\x00"}]
)
def test_queries_that_make_no_sense_are_400(api, query):
    _get(api, "dataset-items", 400, **query)


def test_another_project_sees_and_touches_nothing(api, stranger):
    _dataset(api)
    _item(api, "i", input=1)
    _get(stranger, "v2/datasets/qa", 404)
    _get(stranger, "dataset-items/i", 404)
    assert stranger.delete(f"{API}/dataset-items/i").status_code == 404
    assert _get(stranger, "v2/datasets")["data"] == _get(stranger, "dataset-items")["data"] == []
    # The same names and ids are free in another project.
    _dataset(stranger)
    assert _item(stranger, "i", input=2)["input"] == 2
    assert _get(api, "dataset-items/i")["input"] == 1


def test_without_a_key_nothing_is_answered(client, db):
    for path in ("v2/datasets", "v2/datasets/x", "dataset-items", "dataset-items/x"):
        assert client.get(f"{API}/{path}").status_code == 401


@pytest.mark.parametrize("depth", [60, 250, 260, 600, *range(900, 1000, 7), 100_000])
def test_nesting_is_stored_or_refused_but_never_fails(api, depth):
    _dataset(api, inputSchema={"type": "array"})
    mark = json.dumps("@@@langfuseMedia:type=image/png|id=x|source=bytes@@@")
    value = "[" * depth + mark + "]" * depth
    body = f'{{"datasetName": "qa", "id": "deep", "input": {value}}}'
    response = api.post(f"{API}/dataset-items", body, content_type="application/json")
    assert response.status_code in (200, 400)
    assert len(_ids(api, datasetName="qa")) == (response.status_code == 200)
    assert response.status_code == 200 or depth > 600

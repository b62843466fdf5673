"""Annotation queues over the API."""

import pytest
from django.test import Client

from annotation import actions
from evalapp.scores.actions import archive_score_config
from tests import factories


@pytest.fixture
def api(api_key):
    return Client(headers={"Authorization": api_key.basic})


@pytest.fixture
def config(project):
    return factories.make_config(project, "Note", "TEXT")


@pytest.fixture
def queue(api, config):
    return _ask(api, "post", "", {"name": "aq", "scoreConfigIds": [config.pk]})


def _ask(api, method, path, body=None, status=200, **query):
    url = f"/api/public/annotation-queues{path}"
    if method == "get":
        response = api.get(url, query)
    else:
        response = getattr(api, method)(url, body or {}, content_type="application/json")
    assert response.status_code == status, response.content
    return response.json()


def _add(api, queue, object_id, object_type="TRACE", **fields):
    return _ask(api, "post", f"/{queue['id']}/items", {"objectId": object_id, "objectType": object_type, **fields})


def test_a_queue_is_made_and_read(api, project, config, queue):
    assert {name: queue[name] for name in ("name", "description", "scoreConfigIds", "projectId")} == {
        "name": "aq",
        "description": None,
        "scoreConfigIds": [config.pk],
        "projectId": project.pk,
    }
    assert queue["createdAt"] <= queue["updatedAt"]
    assert _ask(api, "get", f"/{queue['id']}") == queue
    page = _ask(api, "get", "")
    assert (page["data"], page["meta"]) == ([queue], {"page": 1, "limit": 50, "totalItems": 1, "totalPages": 1})


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "aq"}, "name"),
        ({"name": "n" * 101}, "name"),
        ({"scoreConfigIds": []}, "scoreConfigIds"),
        ({"scoreConfigIds": ["gone"]}, "scoreConfigIds"),
        ({"scoreConfigIds": "all"}, "scoreConfigIds"),
        ({"reviewersPerItem": 0}, "reviewersPerItem"),
        ({"order": "best"}, "order"),
        ({"order": None}, "order"),
        ({"orderSeed": "x"}, "orderSeed"),
        ({"orderSeed": 2**31}, "orderSeed"),
    ],
)
def test_a_queue_that_breaks_a_rule_is_refused_by_field(api, config, queue, fields, field):
    body = {"name": "new", "scoreConfigIds": [config.pk]} | fields
    assert _ask(api, "post", "", body, status=400)["error"][0]["path"][0] == field


def test_an_archived_config_is_not_for_new_queues(api, config, queue, ada):
    archive_score_config(config, by=ada)
    _ask(api, "post", "", {"name": "b", "scoreConfigIds": [config.pk]}, status=400)


def test_a_queue_is_changed_and_deleted(api, project, config, queue):
    other = factories.make_config(project, "Pass")
    path = f"/{queue['id']}"
    changed = _ask(api, "patch", path, {"name": "renamed", "scoreConfigIds": [other.pk, config.pk]})
    assert (changed["name"], changed["scoreConfigIds"]) == ("renamed", [other.pk, config.pk])
    assert _ask(api, "patch", path, {"instructions": "Read all."})["scoreConfigIds"] == [other.pk, config.pk]
    _ask(api, "patch", path, {}, status=400)
    factories.make_score(project, id="s", trace_id="t", queue_id=queue["id"])
    _add(api, queue, "t")
    assert _ask(api, "delete", path)["success"] is True
    _ask(api, "get", path, status=404)
    assert project.scores.count() == 1


def test_an_item_is_added_closed_opened_and_removed(api, queue):
    item = _add(api, queue, "t1")
    assert {name: item[name] for name in ("queueId", "objectId", "objectType", "status", "completedAt")} == {
        "queueId": queue["id"],
        "objectId": "t1",
        "objectType": "TRACE",
        "status": "PENDING",
        "completedAt": None,
    }
    assert _add(api, queue, "t1") == item
    path = f"/{queue['id']}/items/{item['id']}"
    assert _ask(api, "get", path) == item
    done = _ask(api, "patch", path, {"status": "COMPLETED"})
    assert (done["status"], done["completedAt"] is not None) == ("COMPLETED", True)
    assert _ask(api, "patch", path, {"status": "PENDING"})["completedAt"] is None
    assert _ask(api, "patch", path, {"status": "DONE"}, status=400)["error"][0]["path"] == ["status"]
    assert _ask(api, "delete", path) == {
        "success": True,
        "message": "Annotation queue item deleted successfully",
    }
    assert _ask(api, "get", path, status=404)["error"] == "LangfuseNotFoundError"


def test_items_are_listed_by_status_and_object_newest_first(api, queue):
    first, second = _add(api, queue, "t1"), _add(api, queue, "t2", status="COMPLETED")
    path = f"/{queue['id']}/items"
    assert [item["id"] for item in _ask(api, "get", path)["data"]] == [second["id"], first["id"]]
    response = api.get(f"/api/public/annotation-queues{path}", {"status": "PENDING"}).json()
    assert [item["id"] for item in response["data"]] == [first["id"]]
    assert [item["id"] for item in _ask(api, "get", path, objectId="t2")["data"]] == [second["id"]]
    assert api.get(f"/api/public/annotation-queues{path}", {"status": "OPEN"}).status_code == 400


def test_many_items_are_added_at_once(api, queue):
    _add(api, queue, "t1")
    path = f"/{queue['id']}/items"
    answer = _ask(api, "post", path, {"objectIds": ["t1", "t2", "t3"]})
    assert (answer["added"], answer["existing"]) == (2, 1)
    assert [item["objectId"] for item in answer["items"]] == ["t2", "t3"]
    items = [{"objectId": "s1", "objectType": "SESSION"}, {"objectId": "t4", "objectType": "TRACE"}]
    answer = _ask(api, "post", path, {"items": items})
    assert {item["objectId"]: item["objectType"] for item in answer["items"]} == {"s1": "SESSION", "t4": "TRACE"}
    assert _ask(api, "get", path)["meta"]["totalItems"] == 5
    items[1]["objectType"] = "DATASET"
    assert _ask(api, "post", path, {"items": items}, status=400)["error"][0]["path"][0] == "items"


def test_a_queue_has_an_order_that_can_be_changed(api, config, queue, project, ben):
    assert (queue["order"], queue["orderSeed"]) == ("oldest", 0)
    body = {"name": "latest", "scoreConfigIds": [config.pk], "order": "newest", "orderSeed": 5}
    made = _ask(api, "post", "", body)
    assert (made["order"], made["orderSeed"]) == ("newest", 5)
    path = f"/{made['id']}"
    answer = _ask(api, "post", f"{path}/items", {"objectIds": ["t1", "t2", "t3"]})
    assert [item["objectId"] for item in answer["items"]] == ["t3", "t2", "t1"]
    changed = _ask(api, "patch", path, {"order": "oldest"})
    assert (changed["order"], changed["orderSeed"]) == ("oldest", 5)
    assert _ask(api, "get", path) == changed
    stored = project.annotation_queues.get(pk=made["id"])
    assert actions.reserve_next_item(stored, reviewer=ben).item.object_id == "t1"
    assert _ask(api, "patch", path, {"order": "shuffled"}, status=400)["error"][0]["path"] == ["order"]


def test_a_sample_is_added_with_its_probability(api, queue):
    path = f"/{queue['id']}/items"
    body = {"objectIds": [f"t{n}" for n in range(8)], "sample": {"size": 2, "seed": 1}}
    answer = _ask(api, "post", path, body)
    assert (answer["added"], answer["existing"]) == (2, 0)
    assert [item["inclusionProbability"] for item in answer["items"]] == [0.25, 0.25]
    again = _ask(api, "post", path, body)
    assert (again["added"], again["existing"]) == (0, 2)
    assert _add(api, queue, "s1", "SESSION")["inclusionProbability"] is None
    items = [{"objectId": f"c{n}", "objectType": "SESSION", "status": "COMPLETED"} for n in range(4)]
    answer = _ask(api, "post", path, {"items": items, "sample": {"size": 1}})
    assert [(item["status"], item["inclusionProbability"]) for item in answer["items"]] == [("COMPLETED", 0.25)]


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"sample": {}}, ["sample", "size"]),
        ({"sample": {"size": 0}}, ["sample", "size"]),
        ({"sample": {"size": 1, "seed": "x"}}, ["sample", "seed"]),
        ({"sample": 3}, ["sample"]),
        ({"sample": {"size": 1}, "items": [{"objectId": "s", "objectType": "SESSION"}]}, ["sample"]),
    ],
)
def test_a_bad_sample_is_refused_by_field(api, queue, fields, path):
    body = {"objectIds": ["t1", "t2"], **fields}
    refused = _ask(api, "post", f"/{queue['id']}/items", body, status=400)["error"][0]["path"]
    assert refused[: len(path)] == path
    assert _ask(api, "get", f"/{queue['id']}/items")["data"] == []


def test_an_observation_brings_its_trace(api, project, queue):
    trace = factories.make_trace(project)
    item = _add(api, queue, trace.root_observation_id, "OBSERVATION")
    assert item["traceId"] == trace.id
    body = {"objectId": "gone", "objectType": "OBSERVATION"}
    _ask(api, "post", f"/{queue['id']}/items", body, status=404)
    _ask(api, "post", f"/{queue['id']}/items", {"items": [body]}, status=404)


def test_an_observation_item_is_scored_as_the_observation(api, project, ben):
    config = factories.make_config(project)
    queue = factories.make_queue(project, configs=[config])
    trace = factories.make_trace(project, observations=[{"id": "step-1"}])
    _add(api, {"id": queue.pk}, "step-1", "OBSERVATION")
    actions.complete(actions.reserve_next_item(queue, reviewer=ben), answers={config.pk: "1"})
    score = project.scores.get()
    assert (score.trace_id, score.observation_id) == (trace.id, "step-1")


def test_reopening_a_completed_item_hands_it_out_again(api, project, ben):
    config = factories.make_config(project)
    queue = factories.make_queue(project, configs=[config], traces=[factories.make_trace(project)])
    review = actions.complete(actions.reserve_next_item(queue, reviewer=ben), answers={config.pk: "1"})
    assert actions.reserve_next_item(queue, reviewer=ben) is None
    _ask(api, "patch", f"/{queue.pk}/items/{review.item_id}", {"status": "PENDING"})
    assert actions.reserve_next_item(queue, reviewer=ben).item_id == review.item_id


def test_an_item_says_who_reviewed_it(api, project, config, queue, ben):
    item = _add(api, queue, factories.make_trace(project).id)
    stored = project.annotation_queues.get().items.get()
    review = actions.open_item(stored, reviewer=ben)
    actions.complete(review, answers={config.pk: "It made that up."})
    item = _ask(api, "get", f"/{queue['id']}/items/{item['id']}")
    assert (item["status"], item["annotatorUserId"]) == ("COMPLETED", str(ben.pk))
    assert [annotator["email"] for annotator in item["annotators"]] == ["ben@example.com"]


def test_people_are_assigned_by_id_and_by_email(api, project, queue, ben, mel, vera, mallory):
    path = f"/{queue['id']}/assignments"
    assigned = _ask(api, "post", path, {"userId": str(ben.pk)})
    assert (assigned["userId"], assigned["queueId"], assigned["projectId"]) == (
        str(ben.pk),
        queue["id"],
        project.pk,
    )
    _ask(api, "post", path, {"email": "Mel@example.com"})
    shown = _ask(api, "get", f"/{queue['id']}")["assignments"]
    assert {person["email"] for person in shown} == {"ben@example.com", "mel@example.com"}
    assert _ask(api, "delete", path, {"email": "mel@example.com"}) == {"success": True}
    assert [person["email"] for person in _ask(api, "get", f"/{queue['id']}")["assignments"]] == [
        "ben@example.com"
    ]
    _ask(api, "post", path, {"userId": str(mallory.pk)}, status=404)
    _ask(api, "post", path, {"userId": "nobody"}, status=404)
    _ask(api, "post", path, {"userId": str(vera.pk)}, status=400)
    _ask(api, "post", path, {}, status=400)


def test_another_projects_queue_does_not_exist(api, other_project):
    queue = factories.make_queue(other_project, traces=[factories.make_trace(other_project)])
    item = queue.items.get()
    assert _ask(api, "get", "")["data"] == []
    for method, path in (
        ("get", f"/{queue.pk}"),
        ("patch", f"/{queue.pk}"),
        ("delete", f"/{queue.pk}"),
        ("get", f"/{queue.pk}/items"),
        ("post", f"/{queue.pk}/items"),
        ("patch", f"/{queue.pk}/items/{item.pk}"),
        ("delete", f"/{queue.pk}/items/{item.pk}"),
        ("post", f"/{queue.pk}/assignments"),
    ):
        _ask(api, method, path, status=404)


def test_a_config_of_another_project_is_not_taken(api, other_project):
    body = {"name": "q", "scoreConfigIds": [factories.make_config(other_project).pk]}
    assert _ask(api, "post", "", body, status=400)["error"][0]["path"] == ["scoreConfigIds"]


def test_a_page_of_items_costs_a_fixed_number_of_queries(api, queue, django_assert_max_num_queries):
    _ask(api, "post", f"/{queue['id']}/items", {"objectIds": [f"t{n}" for n in range(40)]})
    with django_assert_max_num_queries(8):
        _ask(api, "get", f"/{queue['id']}/items")

import json

import pytest

from annotation.actions import complete, reserve_next_item
from tests.factories import make_config, make_queue, make_trace


@pytest.fixture
def api(client, api_key):
    """api(method, path, body) -> (status, JSON)."""

    def call(method, path, body=None, **query):
        options = {"content_type": "application/json", "data": json.dumps(body)} if body is not None else {}
        response = getattr(client, method)(
            f"/api/public/annotation-queues{path}",
            query_params=query,
            headers={"Authorization": api_key.basic},
            **options,
        )
        return response.status_code, response.json()

    return call


def test_a_queue_is_made_filled_and_emptied(api, project):
    config = make_config(project)
    status, queue = api("post", "", {"name": "aq", "scoreConfigIds": [config.pk]})
    assert (status, queue["name"], queue["description"], queue["scoreConfigIds"]) == (200, "aq", None, [config.pk])
    assert api("get", f"/{queue['id']}") == (200, queue)
    assert api("get", "")[1]["data"] == [queue]
    items = f"/{queue['id']}/items"
    status, item = api("post", items, {"objectId": "not-here-yet", "objectType": "TRACE"})
    assert (status, item["status"], item["completedAt"]) == (200, "PENDING", None)
    assert api("post", items, {"objectId": "not-here-yet", "objectType": "TRACE"})[1]["id"] == item["id"]
    assert api("get", items, status="PENDING")[1]["meta"]["totalItems"] == 1
    one = f"{items}/{item['id']}"
    assert api("get", one) == (200, item)
    status, done = api("patch", one, {"status": "COMPLETED"})
    assert (done["status"], done["completedAt"] is not None) == ("COMPLETED", True)
    assert api("get", items, status="PENDING")[1]["data"] == []
    assert api("patch", one, {"status": "PENDING"})[1]["completedAt"] is None
    assert api("delete", one)[1]["success"] is True
    assert api("get", one)[0] == 404


def test_an_observation_item_is_scored_as_the_observation(api, project, ben):
    config = make_config(project)
    queue = make_queue(project, configs=[config])
    trace = make_trace(project, observations=[{"id": "step-1"}])
    assert api("post", f"/{queue.pk}/items", {"objectId": "step-1", "objectType": "OBSERVATION"})[0] == 200
    complete(reserve_next_item(queue, reviewer=ben), answers={config.pk: "1"})
    score = project.scores.get()
    assert (score.trace_id, score.observation_id) == (trace.id, "step-1")


def test_reopening_a_completed_item_hands_it_out_again(api, project, ben):
    config = make_config(project)
    queue = make_queue(project, configs=[config], traces=[make_trace(project)])
    review = complete(reserve_next_item(queue, reviewer=ben), answers={config.pk: "1"})
    assert reserve_next_item(queue, reviewer=ben) is None
    api("patch", f"/{queue.pk}/items/{review.item_id}", {"status": "PENDING"})
    assert reserve_next_item(queue, reviewer=ben).item_id == review.item_id


def test_reviewers_are_assigned(api, project, ben, mallory):
    queue = make_queue(project)
    status, answer = api("post", f"/{queue.pk}/assignments", {"userId": str(ben.pk)})
    assert (status, answer) == (200, {"userId": str(ben.pk), "queueId": queue.pk, "projectId": project.pk})
    assert list(queue.reviewers.all()) == [ben]
    assert api("post", f"/{queue.pk}/assignments", {"userId": str(mallory.pk)})[0] == 404
    assert api("delete", f"/{queue.pk}/assignments", {"userId": str(ben.pk)}) == (200, {"success": True})
    assert not queue.reviewers.exists()


def test_what_makes_no_sense_is_refused(api, project, other_project):
    config, alien = make_config(project), make_config(other_project)
    queue = make_queue(project, configs=[config], name="taken")
    for body in (
        {"name": "x", "scoreConfigIds": []},
        {"name": "x", "scoreConfigIds": [alien.pk]},
        {"name": "x", "scoreConfigIds": "all"},
        {"name": "taken", "scoreConfigIds": [config.pk]},
        {"name": "", "scoreConfigIds": [config.pk]},
        [],
    ):
        assert api("post", "", body)[0] == 400, body
    for body in ({"objectId": "t"}, {"objectId": "t", "objectType": "RUN"}, {"objectType": "TRACE"}):
        assert api("post", f"/{queue.pk}/items", body)[0] == 400, body
    assert api("get", "/none")[0] == 404
    assert api("get", f"/{queue.pk}/items", status="LOST")[0] == 400
    assert api("post", f"/{queue.pk}/items", {"objectId": "o", "objectType": "OBSERVATION"})[0] == 404

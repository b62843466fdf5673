"""Comments as the SDKs write and read them."""

import pytest
from django.test import Client

from tests import factories

URL = "/api/public/comments"


@pytest.fixture
def api(api_key):
    return Client(headers={"Authorization": api_key.basic})


def _write(api, status=200, **fields):
    body = {"objectType": "TRACE", "objectId": "t1", "content": "Look at **this**."} | fields
    response = api.post(URL, body, content_type="application/json")
    assert response.status_code == status, response.content
    return response.json()


def test_a_comment_is_written_and_read(api, project, ben):
    written = _write(api, projectId=project.pk, authorUserId=str(ben.pk))
    read = api.get(f"{URL}/{written['id']}").json()
    assert (read["objectType"], read["objectId"], read["content"]) == ("TRACE", "t1", "Look at **this**.")
    assert (read["authorUserId"], read["projectId"]) == (str(ben.pk), project.pk)


def test_comments_are_listed_by_object_newest_first(api):
    first, second = _write(api)["id"], _write(api)["id"]
    _write(api, objectId="t2")
    page = api.get(URL, {"objectType": "TRACE", "objectId": "t1"}).json()
    assert [comment["id"] for comment in page["data"]] == [second, first]
    assert page["meta"]["totalItems"] == 2


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"objectType": "DATASET"}, "objectType"),
        ({"content": ""}, "content"),
        ({"content": "x" * 5001}, "content"),
        ({"projectId": "elsewhere"}, "projectId"),
        ({"authorUserId": "not-a-number"}, "authorUserId"),
    ],
)
def test_bad_input_names_the_field(api, fields, field):
    assert _write(api, status=400, **fields)["error"][0]["path"] == [field]


def test_a_stranger_cannot_be_the_author(api, mallory):
    assert _write(api, status=400, authorUserId=str(mallory.pk))["error"][0]["path"] == ["authorUserId"]


def test_an_object_id_needs_its_kind(api):
    assert api.get(URL, {"objectId": "t1"}).status_code == 400


def test_another_projects_comment_does_not_exist(api, other_project):
    stranger = Client(headers={"Authorization": factories.make_api_key(other_project, "sk-lf-other").basic})
    assert stranger.get(f"{URL}/{_write(api)['id']}").status_code == 404

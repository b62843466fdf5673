"""Media as the SDKs upload it: announce, PUT to the link, report."""

import base64
import hashlib
import io
from urllib.parse import urlsplit

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client

from evalapp.core import jobs
from evalapp.core.models import Job
from evalapp.media.actions import receive
from evalapp.projects.actions import delete_project
from tests import factories

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
)


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path}},
    }
    return tmp_path


@pytest.fixture
def api(api_key):
    return Client(headers={"Authorization": api_key.basic})


def _announce(api, content=PNG, status=201, **fields):
    body = {
        "traceId": "t" * 32,
        "observationId": None,
        "contentType": "image/png",
        "contentLength": len(content),
        "sha256Hash": base64.b64encode(hashlib.sha256(content).digest()).decode(),
        "field": "input",
    }
    response = api.post("/api/public/media", body | fields, content_type="application/json")
    assert response.status_code == status, response.content
    return response.json()


def _put(url, content):
    return Client().generic("PUT", urlsplit(url).path, content, content_type="image/png")


def test_a_file_is_announced_uploaded_and_fetched(api):
    announced = _announce(api)
    digest = base64.b64encode(hashlib.sha256(PNG).digest()).decode()
    assert announced["mediaId"] == digest[:22].replace("+", "-").replace("/", "_")
    assert _put(announced["uploadUrl"], PNG).status_code == 200
    told = api.get(f"/api/public/media/{announced['mediaId']}").json()
    assert (told["contentType"], told["contentLength"]) == ("image/png", len(PNG))
    response = Client().get(urlsplit(told["url"]).path)
    assert b"".join(response.streaming_content) == PNG


def test_the_same_content_is_uploaded_once(api, project):
    _put(_announce(api)["uploadUrl"], PNG)
    assert _announce(api, field="output")["uploadUrl"] is None
    assert (project.media.count(), project.media_uses.count()) == (1, 2)


@pytest.mark.parametrize("content", [PNG + b"more", PNG[:-1], b"x" * len(PNG)])
def test_what_was_not_announced_is_not_stored(api, project, content):
    announced = _announce(api)
    assert _put(announced["uploadUrl"], content).status_code == 400
    assert project.media.get().uploaded_at is None
    assert api.get(f"/api/public/media/{announced['mediaId']}").status_code == 404


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"contentType": "text/html\r\nX: y"}, "contentType"),
        ({"contentType": "chemical/x-pdb"}, "contentType"),
        ({"contentLength": 10**12}, "contentLength"),
        ({"sha256Hash": "short"}, "sha256Hash"),
        ({"field": "elsewhere"}, "field"),
        ({"traceId": None}, "traceId"),
    ],
)
def test_bad_input_names_the_field(api, fields, field):
    assert _announce(api, status=400, **fields)["error"][0]["path"] == [field]


def test_a_link_is_good_for_one_verb_and_not_to_be_guessed(api):
    url = _announce(api)["uploadUrl"]
    assert Client().get(urlsplit(url).path).status_code == 403
    assert _put(url + "x", PNG).status_code == 403


def test_a_report_is_answered_with_nothing(api, project):
    media_id = _announce(api)["mediaId"]
    body = {
        "uploadedAt": "2026-11-21T04:25:59.615Z",
        "uploadHttpStatus": 500,
        "uploadHttpError": "no",
        "uploadTimeMs": 4,
    }
    response = api.patch(f"/api/public/media/{media_id}", body, content_type="application/json")
    assert (response.status_code, response.content) == (204, b"")
    assert project.media.get().upload_error == "500 no"


@pytest.mark.parametrize("content_type", ["text/html", "image/svg+xml", "application/xhtml+xml"])
def test_a_hostile_file_is_only_offered_to_save(api, project, ada, client, content_type):
    content = b"<script>alert(1)</script>"
    announced = _announce(api, content, contentType=content_type)
    _put(announced["uploadUrl"], content)
    client.force_login(ada)
    response = client.get(f"/project/{project.pk}/media/{announced['mediaId']}")
    assert response["Content-Disposition"].startswith("attachment")
    assert response["Content-Type"] == "application/octet-stream"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response["Content-Security-Policy"]


def test_a_picture_is_shown_inline_to_members_only(api, project, ben, mallory, client):
    announced = _announce(api)
    _put(announced["uploadUrl"], PNG)
    url = f"/project/{project.pk}/media/{announced['mediaId']}"
    assert client.get(url).status_code == 302
    client.force_login(mallory)
    assert client.get(url).status_code == 404
    client.force_login(ben)
    assert client.get(url)["Content-Type"] == "image/png"


def test_another_projects_file_does_not_exist(api, other_project):
    announced = _announce(api)
    _put(announced["uploadUrl"], PNG)
    stranger = Client(headers={"Authorization": factories.make_api_key(other_project, "sk-lf-other").basic})
    assert stranger.get(f"/api/public/media/{announced['mediaId']}").status_code == 404


def _delete(project, by):
    """Delete the project as its owner does, and let the worker do all that follows."""
    delete_project(project=project, by=by)
    while due := list(Job.objects.due().values_list("pk", flat=True)):
        for pk in due:
            jobs.run(pk)


def test_a_deleted_project_leaves_no_files(api, project, other_project, ada, folder):
    stranger = Client(headers={"Authorization": factories.make_api_key(other_project, "sk-lf-other").basic})
    for client in (api, stranger):
        for content in (PNG, b"a sound"):
            _put(_announce(client, content)["uploadUrl"], content)
    assert len([path for path in folder.rglob("*") if path.is_file()]) == 4
    # One whose upload was cut off between its file and its row.
    default_storage.save(f"{project.pk}/cut-off", ContentFile(b"x"))
    _delete(project, ada)
    assert Job.objects.get(kind="media.purge").result == {"files": 3}
    assert [path.name for path in folder.iterdir()] == [other_project.pk]
    assert len(list((folder / other_project.pk).iterdir())) == 2


def test_a_project_without_files_is_deleted_as_well(project, ada):
    _delete(project, ada)
    assert set(Job.objects.values_list("kind", "state")) == {("projects.purge", "done"), ("media.purge", "done")}


def test_an_upload_that_ends_after_its_project_leaves_nothing(api, project, ada, folder):
    announced = _announce(api)
    media = project.media.get(id=announced["mediaId"])
    _delete(project, ada)
    receive(media=media, stream=io.BytesIO(PNG))
    assert not [path for path in folder.rglob("*") if path.is_file()]


def test_content_can_live_in_s3(api, settings, project, ada):
    server = pytest.importorskip("moto.server").ThreadedMotoServer(port=0)
    server.start()
    try:
        host, port = server.get_host_and_port()
        options = {"bucket_name": "media", "access_key": "a", "secret_key": "b", "region_name": "us-east-1"}
        options["endpoint_url"] = f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}"
        settings.STORAGES = {
            **settings.STORAGES,
            "default": {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options},
        }
        default_storage.connection.create_bucket(Bucket="media")
        announced = _announce(api)
        assert _put(announced["uploadUrl"], PNG).status_code == 200
        told = api.get(f"/api/public/media/{announced['mediaId']}").json()
        assert b"".join(Client().get(urlsplit(told["url"]).path).streaming_content) == PNG
        _delete(project, ada)
        assert default_storage.listdir(project.pk) == ([], [])
    finally:
        server.stop()

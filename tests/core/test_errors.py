"""What people and programs get when something breaks on our side."""

import pytest
from django.db import connection
from django.test import Client

from tests import factories


@pytest.fixture
def broken(api_key, settings):
    """A client, and a database in which a table that it needs is gone until the test ends."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE prompts_prompt RENAME TO prompts_away")
        cursor.execute("ALTER TABLE traces_session RENAME TO sessions_away")
    return Client(headers={"Authorization": api_key.basic}, raise_request_exception=False)


def test_a_program_gets_json_with_the_request_id(broken):
    response = broken.get("/api/public/v2/prompts", headers={"X-Request-Id": "r-1"})
    assert response.status_code == 500
    assert response.json()["error"] == "InternalServerError"
    assert response.json()["requestId"] == "r-1"


def test_a_person_gets_a_page(broken, project):
    ada = factories.make_member(project, "ada", "owner")
    broken.force_login(ada)
    response = broken.get(f"/project/{project.pk}/sessions")
    assert response.status_code == 500
    assert response["Content-Type"].startswith("text/html")
    assert "Traceback" not in response.content.decode()

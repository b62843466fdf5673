"""What an API key learns about itself."""

from django.test import Client

URL = "/api/public/projects"


def test_a_key_sees_its_project_with_all_that_the_sdks_require(project, api_key):
    data = Client(headers={"Authorization": api_key.basic}).get(URL).json()["data"]
    organization = {"id": project.organization.pk, "name": "Acme"}
    assert data == [
        {
            "id": project.pk,
            "name": "Support agent",
            "organization": organization,
            "metadata": {},
            "retentionDays": None,
        }
    ]


def test_a_wrong_key_gets_a_json_401_without_a_browser_prompt(db):
    response = Client(headers={"Authorization": "Basic cGs6c2s="}).get(URL)
    assert response.status_code == 401
    assert response.json()["error"] == "UnauthorizedError"
    assert "Basic" not in response.headers.get("WWW-Authenticate", "")


def test_health_needs_no_key(client, db):
    assert client.get("/api/public/health").json() == {"status": "OK", "version": "0.1.0"}

"""The page that tells how to connect an app, and when that worked."""

from tests import factories


def _url(project):
    return f"/project/{project.pk}/settings/connect"


def test_the_snippets_name_the_projects_key_and_host(project, ada, api_key, client, settings):
    client.force_login(ada)
    page = client.get(_url(project)).content.decode()
    assert page.count(api_key.public_key) == 3
    assert page.count(settings.BASE_URL) >= 4
    assert "sk-lf-secret" not in page


def test_it_waits_until_the_first_trace_arrives(project, ada, client):
    client.force_login(ada)
    fragment = {"headers": {"HX-Request": "true"}}
    waiting = client.get(_url(project), **fragment).content.decode()
    assert "Waiting for the first trace" in waiting
    assert "every 3s" in waiting
    factories.make_trace(project, name="hello")
    arrived = client.get(_url(project), **fragment).content.decode()
    assert "hello" in arrived
    assert "every 3s" not in arrived


def test_without_a_key_it_says_where_to_make_one(project, ada, client):
    client.force_login(ada)
    assert "Make one first" in client.get(_url(project)).content.decode()

"""Axe on every page of a project, in light and dark: the pages are found in the URL configuration, not listed."""

import pytest
from django.test import Client

from tests import factories
from tests.access_samples import World
from tests.e2e.pages import assert_accessible, assert_no_console_errors
from tests.test_access import PROJECT_ROUTES

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("route", PROJECT_ROUTES, ids=[route.name for route in PROJECT_ROUTES])
def test_the_page_is_accessible_and_quiet(route, as_ada, live_server, project, ada):
    world = World(project)
    factories.make_score(project, trace_id=world.trace.id)
    url = route.url(world)
    client = Client()
    client.force_login(ada)
    response = client.get(url, follow=True)
    is_page = response.status_code == 200 and response["Content-Type"].startswith("text/html")
    if not is_page or b"<html" not in response.content:
        pytest.skip("no page of its own: a fragment, a download or a change")
    as_ada.goto(live_server.url + url)
    assert_accessible(as_ada, choices=False)
    assert_no_console_errors(as_ada)

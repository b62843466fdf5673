"""The cast: ada owns, adam is admin, mel member, ben reviews, vera views, mallory is a stranger."""

import pytest
from django.db import connection

from tests import factories


@pytest.fixture
def project(db):
    return factories.make_project()


@pytest.fixture
def other_project(db):
    return factories.make_project("Elsewhere")


def _member(name):
    @pytest.fixture(name=name)
    def fixture(project):
        return factories.make_member(project, name, factories.ROLES[name])

    return fixture


ada, adam, mel, ben, vera = map(_member, factories.ROLES)


@pytest.fixture
def mallory(other_project):
    return factories.make_member(other_project, "mallory", factories.Role.OWNER)


@pytest.fixture
def api_key(project):
    return factories.make_api_key(project)


@pytest.fixture(autouse=True)
def observations_are_flushed_too(request, django_db_blocker):
    """The flush after a transactional test leaves out tables that Django does not manage."""
    yield
    marker = request.node.get_closest_marker("django_db")
    fixtures = {"transactional_db", "live_server"} & set(request.fixturenames)
    if fixtures or (marker is not None and marker.kwargs.get("transaction")):
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute("TRUNCATE traces_observation")

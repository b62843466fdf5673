"""The cast: ada owns, adam is admin, mel member, ben reviews, vera views, mallory is a stranger."""

import pytest

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

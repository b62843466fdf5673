"""The access sweep: who gets what from every route there is.

A page of a project declares its permission by @requires; an API view takes an API key; everything else needs a
signed-in person or stands in PUBLIC with a reason. A route that fits nowhere, or whose sample objects are missing
from tests/access_samples.py, fails.
"""

from dataclasses import dataclass
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLResolver, get_resolver, path, reverse
from django.urls.resolvers import RegexPattern
from django.utils.timezone import now

from evalapp.projects.access import PERMISSIONS, allows
from evalapp.projects.authentication import ApiKeyAuthentication
from evalapp.projects.models import ApiKey, Role
from tests import factories
from tests.access_samples import API_KEY_VIEWS, PUBLIC, QUERIES, SAMPLES, World

REFUSED = {401, 403, 404, 405}


@dataclass(frozen=True)
class Route:
    """A route as the URL resolver knows it."""

    name: str
    pattern: str
    arguments: frozenset
    view: Any

    @property
    def api_class(self):
        return getattr(self.view, "cls", None)

    @property
    def takes_api_key(self):
        classes = getattr(self.api_class, "authentication_classes", [])
        return self.name in API_KEY_VIEWS or any(issubclass(one, ApiKeyAuthentication) for one in classes)

    @property
    def in_project(self):
        return "project_id" in self.arguments

    @property
    def ours(self):
        return not self.view.__module__.startswith(("allauth", "django"))

    def problem(self):
        """Return what is missing from its declaration, or None."""
        declared = getattr(self.view, "permission", None)
        if not self.name and self.ours:
            return "has no name"
        if self.in_project and not self.takes_api_key:
            if declared is None:
                return "lies in a project and declares no permission; add @requires to its view"
            if not getattr(self.view, "login_required", True):
                return "lies in a project and lets anonymous people in"
        elif declared is not None:
            return "declares a permission and lies in no project"
        elif not getattr(self.view, "login_required", True) and not (self.takes_api_key or self.name in PUBLIC):
            return "lets anonymous people in; add it to PUBLIC with a reason, or authenticate an API key"
        needs_sample = self.ours and self.arguments - {"project_id"} and self.name not in PUBLIC
        if needs_sample and self.name not in SAMPLES:
            return "takes an id; add a sample to tests/access_samples.py"
        return None

    def url(self, world, of=None):
        """The route in `world`, with the objects of another world where given."""
        arguments = SAMPLES[self.name](of or world) if self.name in SAMPLES else {}
        if self.in_project:
            arguments["project_id"] = world.project.pk
        query = QUERIES[self.name](of or world) if self.name in QUERIES else None
        return reverse(self.name, kwargs=arguments, query=query)

    def methods(self):
        """The methods an API view implements."""
        if self.api_class is None:
            return ["post"]
        return [name for name in ("get", "post", "put", "patch", "delete") if hasattr(self.api_class, name)]


def routes(resolver, namespace="", prefix="", inherited=frozenset()):
    """Walk the resolver."""
    for one in resolver.url_patterns:
        pattern = prefix + str(one.pattern)
        arguments = inherited | set(one.pattern.converters) | set(one.pattern.regex.groupindex)
        if isinstance(one, URLResolver):
            below = f"{namespace}{one.namespace}:" if one.namespace else namespace
            yield from routes(one, below, pattern, arguments)
        else:
            yield Route(f"{namespace}{one.name}" if one.name else "", pattern, frozenset(arguments), one.callback)


ROUTES = list(routes(get_resolver()))
PROJECT_ROUTES = [route for route in ROUTES if route.in_project and route.problem() is None]
API_ROUTES = [route for route in ROUTES if route.takes_api_key and route.problem() is None]


def names(some):
    return pytest.mark.parametrize("route", some, ids=[route.name or route.pattern for route in some])


@pytest.fixture
def world(project):
    return World(project)


@pytest.fixture
def elsewhere(other_project):
    return World(other_project)


@pytest.fixture
def ask(project, other_project):
    """ask(role, method, url) -> status; the role "stranger" owns another project. Changes are undone."""
    people = {role: factories.make_member(project, role, role) for role in Role.values}
    people["stranger"] = factories.make_member(other_project, "mallory", Role.OWNER)
    clients = {"anonymous": Client()}
    for role, person in people.items():
        clients[role] = Client()
        clients[role].force_login(person)

    def status(role, method, url):
        with transaction.atomic():
            response = getattr(clients[role], method)(url)
            transaction.set_rollback(True)
        return response.status_code

    return status


@names(ROUTES)
def test_every_route_declares_who_may_use_it(route):
    assert route.problem() is None, f"{route.pattern} {route.problem()}"


@names(PROJECT_ROUTES)
def test_a_project_page_is_for_its_roles_alone(route, world, ask):
    url = route.url(world)
    for method in ("get", "post"):
        assert ask("anonymous", method, url) in {302, 405}
        assert ask("stranger", method, url) == 404
    assert 302 in {ask("anonymous", method, url) for method in ("get", "post")}
    for role in Role:
        answers = {method: ask(role, method, url) for method in ("get", "post")}
        if role in PERMISSIONS[route.view.permission]:
            assert not set(answers.values()) & {403, 404}, f"{role} is refused: {answers}"
            assert set(answers.values()) != {405}
        else:
            assert 403 in answers.values(), f"{role} is let in: {answers}"
            assert set(answers.values()) <= {403, 405}, f"{role} is let in: {answers}"


@names([route for route in PROJECT_ROUTES if route.name in SAMPLES])
def test_an_object_of_another_project_is_not_found(route, world, elsewhere, ask):
    url = route.url(world, of=elsewhere)
    answers = {method: ask(Role.OWNER, method, url) for method in ("get", "post")}
    assert 404 in answers.values(), answers
    assert set(answers.values()) <= {404, 405}, answers


@names([route for route in PROJECT_ROUTES if route.ours])
def test_a_change_needs_the_csrf_token(route, world):
    client = Client(enforce_csrf_checks=True)
    client.force_login(factories.make_member(world.project, "owner", Role.OWNER))
    assert client.post(route.url(world)).status_code in {403, 405}


@names([route for route in ROUTES if not route.in_project and not route.takes_api_key and route.ours])
def test_a_page_outside_of_projects_sends_anonymous_people_to_sign_in(route, ask):
    if route.name in PUBLIC:
        arguments = dict.fromkeys(route.arguments, "unknown")
        assert ask("anonymous", "get", reverse(route.name, kwargs=arguments)) in {200, 403, 404, 405, 410}
    else:
        assert 302 in {ask("anonymous", method, reverse(route.name)) for method in ("get", "post")}


@names([route for route in ROUTES if not route.ours and route.name])
def test_an_account_page_of_somebody_else_is_not_shown_to_anonymous_people(route, ask):
    arguments = {"pk": 1} if "pk" in route.arguments else dict.fromkeys(route.arguments, "a")
    status = ask("anonymous", "get", reverse(route.name, kwargs=arguments))
    assert status in ({200, 302, 404, 405, 410} if route.name in PUBLIC else {302})


def basic(key):
    return {"Authorization": key.basic}


@names(API_ROUTES)
def test_an_api_view_needs_a_living_key(route, world, ask):
    url = route.url(world)
    revoked = factories.make_api_key(world.project)
    ApiKey.objects.filter(pk=revoked.pk).update(revoked_at=now())
    wrong = factories.make_api_key(world.project, secret="sk-lf-another")
    wrong.basic = basic(factories.make_api_key(world.project))["Authorization"][:-4] + "AAA="
    client = Client()
    signed_in = Client()
    signed_in.force_login(factories.make_member(world.project, "ada", Role.OWNER))
    for method in route.methods():
        assert getattr(client, method)(url).status_code == 401
        assert getattr(signed_in, method)(url).status_code == 401
        for key in (revoked, wrong):
            response = getattr(client, method)(url, headers=basic(key))
            assert response.status_code == 401
            assert response.json()["message"]


@names([route for route in API_ROUTES if route.name in SAMPLES])
def test_an_api_key_reaches_the_objects_of_its_own_project_alone(route, world, elsewhere):
    key = factories.make_api_key(world.project)
    client = Client()
    own_url, foreign_url = route.url(world), route.url(world, of=elsewhere)
    own = set()
    for method in route.methods():
        with transaction.atomic():
            own.add(getattr(client, method)(own_url, headers=basic(key)).status_code)
            transaction.set_rollback(True)
        foreign = getattr(client, method)(foreign_url, headers=basic(key))
        # A change without a body may be refused as such before its object is looked for.
        assert foreign.status_code in ({404} if method in ("get", "delete") else {400, 404})
    assert own != {404}, "the sample isn't found by its own key either"


def test_an_undeclared_route_fails_the_sweep():
    def view(request, project_id):
        """Forgot @requires."""

    extra = URLResolver(RegexPattern(r"^/"), [path("project/<str:project_id>/new-page", view, name="new_page")])
    (route,) = routes(extra)
    assert "declares no permission" in route.problem()


def test_a_public_route_without_a_reason_fails_the_sweep():
    def view(request):
        """Lets everybody in."""

    view.login_required = False
    (route,) = routes(URLResolver(RegexPattern(r"^/"), [path("open", view, name="open")]))
    assert "lets anonymous people in" in route.problem()


def test_a_route_with_an_unknown_id_fails_the_sweep():
    def view(request, project_id, pk):
        """Nobody told the sweep which object to put there."""

    view.permission = "project.read"
    patterns = [path("project/<str:project_id>/thing/<int:pk>", view, name="thing")]
    (route,) = routes(URLResolver(RegexPattern(r"^/"), patterns))
    assert "add a sample" in route.problem()


@pytest.mark.parametrize(
    ("role", "permissions"),
    [
        ("reviewer", "project.read queues.read queues.review"),
        ("viewer", "project.read traces.read scores.read queues.read queues.export settings.read"),
    ],
)
def test_the_narrow_roles_may_do_no_more_than_this(role, permissions):
    assert {name for name, roles in PERMISSIONS.items() if role in roles} == set(permissions.split())


def test_only_owners_may_touch_owners_and_only_admins_the_settings():
    assert PERMISSIONS["owners.manage"] == {Role.OWNER}
    for name in ("settings.manage", "members.manage", "queues.manage", "audit.read"):
        assert PERMISSIONS[name] == {Role.OWNER, Role.ADMIN}
    assert not allows(None, "project.read")

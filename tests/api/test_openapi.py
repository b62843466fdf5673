"""The OpenAPI document: valid, complete, and with examples that its own schemas accept."""

import re

import pytest
from django.test import Client
from django.urls import URLResolver, get_resolver
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from evalapp.openapi import document

METHODS = ("get", "post", "put", "patch", "delete")
# No operations of the API: the document itself, the answer to unknown paths, and the target of signed links.
UNDOCUMENTED = {"api_openapi", "api_not_found", "media_content"}
# Methods that only serve names which happen to end like the path.
HIDDEN = {("api_prompt_version", "get"), ("api_prompt_version", "delete")}
# One route, several documented paths, because names may hold slashes.
SHARED = {
    "datasets/{}": ["datasets/{}", "datasets/{}/runs", "datasets/{}/runs/{}"],
}


def routes(resolver, prefix=""):
    for one in resolver.url_patterns:
        pattern = prefix + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from routes(one, pattern)
        elif pattern.startswith("api/public/"):
            yield pattern.removeprefix("api/public/"), one


def anonymous(path):
    """Return the path without the names of its parameters."""
    return re.sub(r"<[^>]*>|{[^}]*}", "{}", path)


def operations():
    return [
        (path, method, described)
        for path, methods in document()["paths"].items()
        for method, described in methods.items()
    ]


def test_it_is_served_without_a_key(client):
    response = client.get("/api/public/openapi.json")
    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"
    assert response.json()["openapi"].startswith("3.1")


def test_it_is_valid_openapi():
    OpenAPIV31SpecValidator(Client().get("/api/public/openapi.json").json()).validate()


def test_it_is_made_without_a_warning(capsys):
    document.__wrapped__()
    assert capsys.readouterr().err == ""


def test_it_describes_every_method_of_every_route():
    described = {(anonymous(path.removeprefix("/api/public/")), method) for path, method, _ in operations()}
    missing = []
    for pattern, route in routes(get_resolver()):
        view = getattr(route.callback, "cls", None)
        paths = SHARED.get(anonymous(pattern), [anonymous(pattern)])
        wanted = {
            method
            for method in METHODS
            if view is not None and hasattr(view, method) and (route.name, method) not in HIDDEN
        }
        wanted |= {"post"} if view is None else set()
        if route.name not in UNDOCUMENTED:
            missing += [
                (pattern, method) for method in wanted if not any((path, method) in described for path in paths)
            ]
    assert missing == []


@pytest.mark.parametrize(("path", "method", "described"), operations())
def test_an_operation_is_described_in_full(path, method, described):
    assert described["summary"] and described["operationId"] and described["tags"]
    assert set(re.findall(r"{(\w+)}", path)) == {
        one["name"] for one in described.get("parameters", []) if one["in"] == "path"
    }
    for parameter in described.get("parameters", []):
        assert parameter.get("description"), parameter["name"]
    for status in ("405",) if not described.get("security") else ("400", "401", "403", "404", "405", "429"):
        assert status in described["responses"]
    bodies = [
        content
        for where in (described.get("requestBody"), *described["responses"].values())
        for kind, content in (where or {}).get("content", {}).items()
        if kind == "application/json"
    ]
    for body in bodies:
        if body["schema"] != {"$ref": "#/components/schemas/Error"}:
            assert body.get("examples"), "has no example"
        for example in body.get("examples", {}).values():
            # The components stand beside the schema, where its references look for them.
            schema = {**body["schema"], "components": document()["components"]}
            Draft202012Validator(schema).validate(example["value"])


def test_operations_have_ids_of_their_own():
    ids = [described["operationId"] for _, _, described in operations()]
    assert len(ids) == len(set(ids))


def test_the_error_is_described_once():
    responses = document()["components"]["responses"]
    for response in responses.values():
        assert response["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Error"}
    assert "Retry-After" in responses["TooManyRequests"]["headers"]

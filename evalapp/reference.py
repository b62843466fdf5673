"""The API reference: the OpenAPI document in the order and the words of a page."""

import json
import shlex
from dataclasses import dataclass
from functools import cache
from urllib.parse import quote, urlencode

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.shortcuts import render
from django.views.decorators.http import require_safe

from evalapp.openapi import document

_TONES = {"get": "blue", "post": "green", "put": "amber", "patch": "amber", "delete": "red"}
_DEEPEST = 2  # levels of fields within fields; the example shows the rest


@dataclass
class Field:
    """One row of a table: a parameter, or a field of a body."""

    name: str
    type: str
    required: bool
    about: str


@dataclass
class Answer:
    """One answer: its fields and example, where it has a body."""

    status: str
    about: str
    fields: list
    example: str


@dataclass
class Operation:
    """One method of a path."""

    id: str
    method: str
    tone: str
    path: str
    summary: str
    about: str
    parameters: list
    body: list
    answers: list
    errors: list
    curl: str
    takes_public_key: bool


@login_not_required
@require_safe
def reference(request):
    """Show every operation. It needs no account: it says nothing about any project."""
    context = {"sections": _sections(), "about": document()["info"], "base_url": settings.BASE_URL}
    return render(request, "reference.html", context)


@cache
def _sections():
    """Return {tag: its operations}, the paths in their order."""
    sections = {}
    for path, methods in document()["paths"].items():
        for method, described in methods.items():
            sections.setdefault(described["tags"][0], []).append(_operation(path, method, described))
    return {tag: sorted(sections[tag], key=lambda one: one.path) for tag in sorted(sections)}


def _operation(path, method, described):
    parameters = described.get("parameters", [])
    content = described.get("requestBody", {}).get("content", {}).get("application/json", {})
    responses = [(status, _resolved(response)) for status, response in described["responses"].items()]
    return Operation(
        id=described["operationId"],
        method=method.upper(),
        tone=_TONES[method],
        path=path,
        summary=described["summary"],
        about=described.get("description", ""),
        parameters=[_parameter(one) for one in parameters],
        body=list(_fields(content["schema"])) if content else [],
        answers=[_answer(status, response) for status, response in responses if status < "300"],
        errors=[(status, response["description"]) for status, response in responses if status >= "300"],
        curl=_curl(path, method, parameters, _example(content), bool(described.get("security"))),
        takes_public_key={"publicKey": []} in described.get("security", []),
    )


def _parameter(described):
    schema = described["schema"]
    bounds = [
        f"{word} {schema[key]}"
        for key, word in (("minimum", "from"), ("maximum", "to"), ("default", "by default"))
        if key in schema
    ]
    about = " ".join([described["description"], *([f"{', '.join(bounds).capitalize()}."] if bounds else [])])
    name = described["name"] if described["in"] != "path" else f"{{{described['name']}}}"
    return Field(name, _type(schema), described.get("required", False), about)


def _answer(status, response):
    content = response.get("content", {}).get("application/json", {})
    fields = list(_fields(content["schema"])) if content else []
    return Answer(status, response["description"], fields, _example(content))


def _fields(schema, prefix="", depth=0):
    """Yield the fields of an object, those of the objects in it behind dots."""
    schema = _resolved(schema)
    if alternatives := schema.get("anyOf") or schema.get("oneOf"):
        # Of several shapes the first object; the text and the example tell the others.
        shapes = [_resolved(shape) for shape in alternatives]
        schema = next((shape for shape in shapes if "properties" in shape), {})
    required = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        field = _resolved(field)
        yield Field(prefix + name, _type(field), name in required, field.get("description", ""))
        inner = _resolved(field.get("items", {})) or field
        if inner.get("properties") and depth + 1 < _DEEPEST:
            dots = "[]." if "items" in field else "."
            yield from _fields(inner, f"{prefix}{name}{dots}", depth + 1)


def _type(schema):
    """Return the words for a type, such as "list of string" or "NEW or DONE, or null"."""
    schema = _resolved(schema)
    types = schema.get("type", "any")
    types = types if isinstance(types, list) else [types]
    if "enum" in schema:
        words = " | ".join(str(value) for value in schema["enum"] if value is not None)
    else:
        words = " | ".join(_type_word(one, schema) for one in types if one != "null")
    return f"{words}, or null" if "null" in types else words


def _type_word(name, schema):
    if name == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return "time" if schema.get("format") == "date-time" else name


def _resolved(node):
    """Follow a reference into the components; a description beside it wins."""
    if "$ref" not in node:
        return node
    found = document()["components"]
    for part in node["$ref"].removeprefix("#/components/").split("/"):
        found = found[part]
    return _resolved(found)


def _example(content):
    examples = list(content.get("examples", {}).values())
    return json.dumps(examples[0]["value"], indent=2, ensure_ascii=False) if examples else ""


def _curl(path, method, parameters, body, needs_key):
    query = {}
    for one in parameters:
        examples = list(one.get("examples", {}).values())
        if one["in"] == "path":
            path = path.replace(f"{{{one['name']}}}", quote(str(examples[0]["value"]), safe=""))
        elif one.get("required"):
            query[one["name"]] = examples[0]["value"] if examples else "…"
    url = settings.BASE_URL + path + (f"?{urlencode(query)}" if query else "")
    lines = [f"curl -X {method.upper()} {shlex.quote(url)}" if method != "get" else f"curl {shlex.quote(url)}"]
    if needs_key:
        lines.append('-u "$LANGFUSE_PUBLIC_KEY:$LANGFUSE_SECRET_KEY"')
    if body:
        lines += ["-H 'Content-Type: application/json'", f"-d {shlex.quote(body)}"]
    return " \\\n  ".join(lines)

"""How the API is documented: operations are declared beside each app's views and become one OpenAPI document.

An app's api_docs.py says for each view what its methods take and answer. Its serializers only describe; the views
write their JSON themselves, and the test that drives the API from the document holds the two together.
"""

from functools import cache

from drf_spectacular import openapi
from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    PolymorphicProxySerializer,
    extend_schema,
    extend_schema_view,
)
from rest_framework import serializers

from evalapp.core.api import JSONValue, Text

_ERRORS = {
    "400": ("BadRequest", "The request is not valid; `error` lists what is wrong with it."),
    "401": ("Unauthorized", "No API key, or not one that is known and in use."),
    "403": ("Forbidden", "This key may not do that, such as a public key without its secret."),
    "404": ("NotFound", "There is no such thing in the key's project."),
    "405": ("MethodNotAllowed", "This path has other methods."),
    "409": ("Conflict", "This contradicts something that exists already."),
    "413": ("TooLarge", "The body is larger than the server takes."),
    "415": ("UnsupportedMediaType", "The body has a type that this path does not read."),
    "429": ("TooManyRequests", "The key's rate limit is used up; try again after `Retry-After` seconds."),
}
_EVERYWHERE = ("400", "401", "403", "404", "405", "429")
_WITH_BODY = ("409", "413", "415")
_PUBLIC = ("405",)

# Ways to call an operation.
KEY_PAIR = [{"keyPair": []}]
OR_PUBLIC_KEY = [{"keyPair": []}, {"publicKey": []}]
NO_KEY = []


class JSONValueExtension(OpenApiSerializerFieldExtension):
    """A field that takes any JSON has a schema that allows all."""

    target_class = JSONValue

    def map_serializer_field(self, auto_schema, direction):
        return {}


class AutoSchema(openapi.AutoSchema):
    """Describes the body of a DELETE too, where one is declared."""

    def _get_request_body(self, *args, **kwargs):
        method = self.method
        self.method = "POST" if method == "DELETE" else method
        try:
            return super()._get_request_body(*args, **kwargs)
        finally:
            self.method = method


def document(view, *, tag, **operations):
    """Attach what `operation` made to the methods of a view."""
    for name, described in operations.items():
        described.setdefault("tags", [tag])
        extend_schema_view(**{name: extend_schema(**described)})(view)


def hide(view, *methods):
    """Leave methods out of the document, such as ones that only serve another path's names."""
    extend_schema_view(**{name: extend_schema(exclude=True) for name in methods})(view)


def operation(name, summary, *, answers, about="", body=None, example=None, query=(), path=(), auth=KEY_PAIR):
    """Describe one method of a view.

    `answers` is the serializer of a 200, or {status: serializer or None}; the answer's example is the serializer's
    EXAMPLE. `example` is that of the body, `query` and `path` are parameters.
    """
    if not isinstance(answers, dict):
        answers = {200: answers}
    examples = [OpenApiExample("Request", value=example, request_only=True)] if example is not None else []
    for status, serializer in answers.items():
        value = getattr(serializer, "EXAMPLE", None)
        if value is not None:
            examples.append(
                OpenApiExample("Response", value=value, response_only=True, status_codes=[str(status)])
            )
    return {
        "operation_id": name,
        "summary": summary,
        "description": about,
        "request": body,
        "responses": {
            status: OpenApiResponse(serializer, description=_DONE.get(status, "Done."))
            for status, serializer in answers.items()
        },
        "parameters": [*path, *query],
        "examples": examples,
        "auth": auth,
    }


_DONE = {
    201: "Created.",
    202: "Accepted.",
    204: "Done; the body is empty.",
    207: "Each part's own outcome; some may be refused.",
}


# -- Parameters


def text_query(name, about, *, required=False, choices=None, example=None):
    """Describe a string of the query."""
    return _parameter(name, about, {"type": "string"}, required=required, enum=choices, example=example)


def list_query(name, about):
    """Describe a parameter that may be given several times."""
    return _parameter(name, about, {"type": "array", "items": {"type": "string"}})


def choices_query(name, about, choices):
    """Describe a comma list of known words."""
    return _parameter(name, f"{about} A comma list of {', '.join(f'`{one}`' for one in choices)}.")


def number_query(name, about, *, minimum=None, maximum=None, default=None, kind="integer"):
    """Describe a number of the query and its bounds."""
    schema = {"type": kind}
    schema |= {
        key: value
        for key, value in (("minimum", minimum), ("maximum", maximum), ("default", default))
        if value is not None
    }
    return _parameter(name, about, schema)


def time_query(name, about, *, required=False):
    """Describe an instant of the query."""
    return _parameter(
        name, about, {"type": "string", "format": "date-time"}, required=required, example="2026-11-20T12:00:00Z"
    )


def path_text(name, about, example, kind="string"):
    """Describe a part of the path; slashes in it are sent as %2F."""
    return _parameter(name, about, {"type": kind}, location=OpenApiParameter.PATH, example=example)


def _parameter(
    name, about, schema=None, *, required=False, enum=None, example=None, location=OpenApiParameter.QUERY
):
    schema = dict(schema or {"type": "string"})
    if enum is not None:
        schema["enum"] = list(enum)
    examples = [OpenApiExample("Example", value=example)] if example is not None else []
    return OpenApiParameter(
        name,
        type=schema,
        location=location,
        required=required or location == OpenApiParameter.PATH,
        description=about,
        examples=examples,
    )


def paging(default=50, maximum=100):
    """Return the parameters of a page-form list."""
    return [
        number_query("page", "Which page, from 1.", minimum=1, maximum=10_000_000, default=1),
        number_query("limit", "Rows on a page.", minimum=1, maximum=maximum, default=default),
    ]


def cursoring(default=50, maximum=100):
    """Return the parameters of a cursor-form list."""
    return [
        number_query("limit", "Rows at once.", minimum=1, maximum=maximum, default=default),
        text_query("cursor", "The `meta.cursor` of the answer before, to continue after it."),
    ]


FILTER = text_query(
    "filter",
    "JSON: a list of conditions that all hold, each `{type, column, operator, value}`.",
)


# -- What several apps answer


class PageMeta(serializers.Serializer):
    """Where a page lies in its list."""

    page = serializers.IntegerField()
    limit = serializers.IntegerField()
    totalItems = serializers.IntegerField()
    totalPages = serializers.IntegerField()


class CursorMeta(serializers.Serializer):
    """How a list goes on; without a cursor this was its end."""

    limit = serializers.IntegerField()
    cursor = Text(required=False, allow_null=True)


class Message(serializers.Serializer):
    """That something was done."""

    message = Text()

    EXAMPLE = {"message": "Deleted successfully"}


class Created(serializers.Serializer):
    """The id of what was written."""

    id = Text()

    EXAMPLE = {"id": "0f6c2b9d8e7a4c51"}


def one_of(name, serializers, example=None):
    """Return the description of a body that has one of several shapes."""
    described = PolymorphicProxySerializer(
        component_name=name, serializers=serializers, resource_type_field_name=None, many=False
    )
    described.EXAMPLE = example
    return described


@cache
def page(serializer):
    """Return the serializer of a page of such rows."""
    name = serializer.__name__.removesuffix("Output")
    return _envelope(
        f"{name}Page", serializer, PageMeta, {"page": 1, "limit": 50, "totalItems": 1, "totalPages": 1}
    )


@cache
def cursor_page(serializer):
    """Return the serializer of a cursor-form answer of such rows."""
    name = serializer.__name__.removesuffix("Output")
    return _envelope(f"{name}CursorPage", serializer, CursorMeta, {"limit": 50})


def _envelope(name, serializer, meta, meta_example):
    fields = {"data": serializer(many=True), "meta": meta(), "__doc__": f"A part of a list: {serializer.__doc__}"}
    fields["EXAMPLE"] = {"data": [serializer.EXAMPLE], "meta": meta_example}
    return type(name, (serializers.Serializer,), fields)


# -- Hooks of drf-spectacular


def only_public_api(endpoints):
    """Keep the views below /api/public alone."""
    return [one for one in endpoints if one[0].startswith("/api/public/") and one[0][12:] != "{rest}"]


def add_errors(result, generator, request, public):
    """Give every operation the errors that it can answer, and the shape of errors its one description."""
    components = result.setdefault("components", {})
    components.setdefault("schemas", {})["Error"] = _ERROR_SCHEMA
    components["responses"] = {
        name: {
            "description": about,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
            **({"headers": {"Retry-After": _RETRY_AFTER}} if status == "429" else {}),
        }
        for status, (name, about) in _ERRORS.items()
    }
    for operations in result["paths"].values():
        for described in operations.values():
            statuses = _EVERYWHERE if described.get("security") else _PUBLIC
            if "requestBody" in described:
                statuses += _WITH_BODY
            for status in statuses:
                reference = {"$ref": f"#/components/responses/{_ERRORS[status][0]}"}
                described["responses"].setdefault(status, reference)
            described["responses"] = dict(sorted(described["responses"].items()))
    return result


def tidy(result, generator, request, public):
    """Undo habits of drf-spectacular: marks of its own, and alternatives where more than one may hold."""
    _tidy(result)
    return result


def _tidy(node):
    if isinstance(node, dict):
        node.pop("x-spec-enum-id", None)
        if node.get("oneOf") == [{}, {"type": "null"}]:
            del node["oneOf"]
        # The shapes of a body need not exclude each other.
        if all("$ref" in shape for shape in node.get("oneOf", [{}])):
            node["anyOf"] = node.pop("oneOf")
        for value in node.values():
            _tidy(value)
    elif isinstance(node, list):
        for value in node:
            _tidy(value)


_RETRY_AFTER = {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}
_ERROR_SCHEMA = {
    "type": "object",
    "description": "What went wrong. `error` is the name of the error, or the issues of an invalid request.",
    "required": ["message", "error"],
    "properties": {
        "message": {"type": "string"},
        "error": {
            "oneOf": [
                {"type": "string"},
                {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["path", "message"],
                        "properties": {
                            "path": {"type": "array", "items": {"type": ["string", "integer"]}},
                            "message": {"type": "string"},
                        },
                    },
                },
            ]
        },
        "requestId": {"type": "string", "description": "Names the request in the server's log."},
    },
}

"""What all of the public API shares: its JSON, errors as {"message": …, "error": …}, times and pages."""

import base64
import json
import math
from datetime import UTC, datetime

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DataError
from django.http import Http404, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions, parsers, renderers, serializers
from rest_framework.response import Response

from evalapp.core import payload
from evalapp.core.errors import Conflict, error_body

_NAMES = {
    400: "InvalidRequestError",
    401: "UnauthorizedError",
    403: "ForbiddenError",
    404: "LangfuseNotFoundError",
    405: "MethodNotAllowedError",
    409: "LangfuseConflictError",
    413: "PayloadTooLargeError",
    429: "RateLimitError",
}


class JSONRenderer(renderers.JSONRenderer):
    """Writes what the standard one can't: lone surrogates, and stored JSON text without parsing it."""

    charset = None

    def render(self, data, accepted_media_type=None, renderer_context=None):
        return b"" if data is None else payload.dump_response(data)


class PayloadTooLarge(exceptions.APIException):
    """The body exceeds the limit of the API."""

    status_code = 413


class JSONParser(parsers.JSONParser):
    """Reads JSON up to the body limit; any JSON that can't be read is the client's error."""

    def parse(self, stream, media_type=None, parser_context=None):
        limit = settings.API_MAX_BODY_BYTES
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise PayloadTooLarge(f"The body exceeds {limit} bytes; send less at a time.")
        try:
            return json.loads(body, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise exceptions.ParseError(f"The body is not JSON that can be read: {error}") from error


def _refuse_constant(constant):
    raise ValueError(f"{constant} is not JSON")


class JSONValue(serializers.Field):
    """Any JSON value, taken as it is."""

    def __init__(self, *, required=False):
        super().__init__(required=required, allow_null=True)

    def to_internal_value(self, data):
        return data

    def to_representation(self, value):
        return value


class Text(serializers.CharField):
    """A string, blanks at its ends included; numbers are not turned into one."""

    def __init__(self, **kwargs):
        super().__init__(trim_whitespace=False, **kwargs)

    def to_internal_value(self, data):
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


def error_response(status, message, error=None):
    """Return the JSON error; `error` defaults to the name that belongs to the status."""
    return Response(error_body(message, error or _NAMES.get(status, "ApiError")), status=status)


@csrf_exempt
@login_not_required
def not_found(request, rest):
    """Answer paths that the API does not have: SDKs can read JSON alone."""
    message = f"There is no {request.method} {request.path} in this API."
    return JsonResponse(error_body(message, _NAMES[404]), status=404)


def exception_handler(exc, context):
    """Turn what a view raises into the API's error shape; None for what is a bug (500)."""
    if isinstance(exc, ValidationError):
        return error_response(400, "Invalid request data", _issues(exc))
    if isinstance(exc, Conflict):
        return error_response(409, str(exc))
    if isinstance(exc, DataError):  # NUL in a filter, a number beyond its column
        return error_response(400, "A value of the request can't be stored or compared in the database.")
    if isinstance(exc, RecursionError):
        return error_response(400, "The request is nested too deeply.")
    if isinstance(exc, Http404):
        return error_response(404, str(exc) or "Not found")
    if isinstance(exc, PermissionDenied):
        return error_response(403, str(exc) or "Forbidden")
    if isinstance(exc, exceptions.ValidationError):
        return error_response(400, "Invalid request data", _drf_issues(exc.detail))
    if isinstance(exc, exceptions.APIException):
        response = error_response(exc.status_code, str(exc.detail))
        wait = getattr(exc, "wait", None)
        if wait is not None:
            response["Retry-After"] = str(math.ceil(wait))
        return response
    return None


def issues_of(error):
    """Return what an exception says as [{"path": […], "message": …}], whichever framework raised it."""
    if isinstance(error, ValidationError):
        return _issues(error)
    if isinstance(error, exceptions.ValidationError):
        return _drf_issues(error.detail)
    return [{"path": [], "message": str(error)}]


def _issues(error):
    if hasattr(error, "issues"):
        return error.issues
    if hasattr(error, "error_dict"):
        return [
            {"path": [field], "message": message}
            for field, messages in error.message_dict.items()
            for message in messages
        ]
    return [{"path": [], "message": message} for message in error.messages]


def _drf_issues(detail, path=()):
    if isinstance(detail, dict):
        return [issue for key, value in detail.items() for issue in _drf_issues(value, (*path, key))]
    if isinstance(detail, list):
        return [issue for value in detail for issue in _drf_issues(value, path)]
    return [{"path": [part for part in path if part != "non_field_errors"], "message": str(detail)}]


def iso(moment):
    """Return an aware datetime as the SDKs read it, such as 2026-11-21T09:30:00.123Z; None stays None."""
    if moment is None:
        return None
    moment = moment.astimezone(UTC)
    precision = "milliseconds" if moment.microsecond % 1000 == 0 else "microseconds"
    return moment.isoformat(timespec=precision).replace("+00:00", "Z")


def query_int(request, name, default, *, minimum, maximum):
    """Return a whole number of the query string. Raises ValidationError naming the parameter and its bounds."""
    text = request.query_params.get(name)
    if text in (None, ""):
        return default
    try:
        number = int(text)
    except ValueError as error:
        raise ValidationError({name: f"{text!r} is not a whole number."}) from error
    if not minimum <= number <= maximum:
        raise ValidationError({name: f"{number} is not between {minimum} and {maximum}."})
    return number


def query_time(request, name):
    """Return an aware datetime of the query string, or None. Raises ValidationError naming the parameter."""
    text = request.query_params.get(name)
    # An unescaped + of the offset arrives as a blank.
    return parse_time(text[:11] + text[11:].replace(" ", "+"), name) if text else None


def parse_time(text, name):
    """Return an aware datetime; without an offset it is UTC. Raises ValidationError under `name`."""
    try:
        moment = datetime.fromisoformat(text)
        # Away from the ends of the calendar, where time zones and intervals overflow.
        if not 1 < moment.year < 9999:
            raise ValueError("out of range")
    except (TypeError, ValueError) as error:
        message = f"{str(text)[:100]!r} is not an ISO 8601 time such as 2026-11-21T09:30:00Z."
        raise ValidationError({name: message}) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def parse_number(text, name):
    """Return a finite number. Raises ValidationError under `name`."""
    try:
        number = float(text)
    except ValueError as error:
        raise ValidationError({name: f"{text!r} is not a number."}) from error
    if not math.isfinite(number):
        raise ValidationError({name: "The number must be finite."})
    return number


def page_of(queryset, request, serialise, *, default_limit=50, max_limit=100):
    """Answer a page-form list: ?page=1.. and ?limit=1..max_limit, with exact totals, as the SDKs' loops need.

    `queryset` must be ordered; `serialise` turns the page's rows (a list) into a list of JSON objects.
    """
    page = query_int(request, "page", 1, minimum=1, maximum=10_000_000)
    limit = query_int(request, "limit", default_limit, minimum=1, maximum=max_limit)
    total = queryset.count()
    rows = list(queryset[(page - 1) * limit : page * limit])
    meta = {"page": page, "limit": limit, "totalItems": total, "totalPages": -(-total // limit)}
    return Response({"data": serialise(rows), "meta": meta})


def query_list(request, name):
    """Return the values of a comma list in the query string, or None when it isn't given."""
    text = request.query_params.get(name)
    return [value for value in text.split(",") if value] if text else None


def query_fields(request, known, default):
    """Return the set of field groups that `?fields=` asks for. Raises ValidationError for one that isn't known."""
    asked = {value.strip() for value in query_list(request, "fields") or default}
    unknown = sorted(asked - set(known))
    if unknown:
        raise ValidationError({"fields": f"{unknown[0]!r} is none of {', '.join(known)}."})
    return asked


def query_cursor(request):
    """Return (time, id) of the row after which a cursor-form list continues, or None for its start."""
    text = request.query_params.get("cursor")
    if not text:
        return None
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        moment, row_id = json.loads(raw)
        moment = parse_time(moment, "cursor")
        if not isinstance(row_id, str | int) or isinstance(row_id, bool) or "\0" in str(row_id):
            raise ValueError("not an id")
    except (TypeError, ValueError, RecursionError) as error:
        raise ValidationError({"cursor": "This is no cursor of this list."}) from error
    return moment, row_id


def cursor_meta(limit, last):
    """Return the `meta` of a cursor-form page; `last` is its last row's (time, id), None on the last page."""
    if last is None:
        return {"limit": limit}
    text = json.dumps([iso(last[0]), last[1]], separators=(",", ":"))
    return {"limit": limit, "cursor": base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")}

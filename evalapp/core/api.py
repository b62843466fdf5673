"""Errors of the public API, in the shape that the SDKs read: {"message": …, "error": …}."""

from datetime import UTC

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404
from django.utils.dateparse import parse_datetime
from rest_framework import exceptions
from rest_framework.response import Response

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


def error_response(status, message, error=None):
    """Return the JSON error; `error` defaults to the name that belongs to the status."""
    return Response({"message": message, "error": error or _NAMES.get(status, "ApiError")}, status=status)


def exception_handler(exc, context):
    """Turn what a view raises into the API's error shape; None for what is a bug (500)."""
    if isinstance(exc, ValidationError):
        return error_response(400, "Invalid request data", _issues(exc))
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
            response["Retry-After"] = str(int(wait) + 1)
        return response
    return None


def _issues(error):
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
    if not text:
        return None
    try:
        moment = parse_datetime(text.replace(" ", "+"))  # an unescaped + of the offset arrives as a blank
    except ValueError:
        moment = None
    if moment is None:
        raise ValidationError({name: f"{text!r} is not an ISO 8601 time such as 2026-11-21T09:30:00Z."})
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


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

"""Errors of the public API, in the shape that the SDKs read: {"message": …, "error": …}."""

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404
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

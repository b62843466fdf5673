"""What actions may raise besides Django's own errors, and how errors are told."""

from django.http import JsonResponse
from django.views import defaults

from evalapp.core.logs import request_id


class Conflict(Exception):
    """The change contradicts something that already exists elsewhere (409 in the API)."""


def error_body(message, error):
    """Return the body of an error of the API: what is wrong, its name or issues, and the request in the log."""
    body = {"message": message, "error": error}
    if request_id.get():
        body["requestId"] = request_id.get()
    return body


def server_error(request):
    """Answer what went wrong on our side: programs in JSON, people with a page. The traceback is in the log."""
    if request.path.startswith(("/api/", "/v1/")):
        body = error_body(
            "Something went wrong on our side; the request id finds it in the log.", "InternalServerError"
        )
        return JsonResponse(body, status=500)
    return defaults.server_error(request)

"""What actions may raise besides Django's ValidationError and PermissionDenied, and how the API tells errors."""

from evalapp.core.logs import request_id


class Conflict(Exception):
    """The change contradicts something that already exists elsewhere (409 in the API)."""


def error_body(message, error):
    """Return the body of an error of the API: what is wrong, its name or issues, and the request in the log."""
    body = {"message": message, "error": error}
    if request_id.get():
        body["requestId"] = request_id.get()
    return body

"""What every request passes: a request id, its log line, and bodies that arrive in chunks."""

import logging
import re
import tempfile
import time
import uuid

from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpResponse, JsonResponse

from evalapp.core.errors import error_body
from evalapp.core.logs import request_id

log = logging.getLogger("evalapp.request")
_ACCEPTABLE_ID = re.compile(r"[\w.-]{1,64}")


class RequestIdMiddleware:
    """Gives each request an id, which its log lines and its response carry, and writes its line in the log."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        given = request.headers.get("X-Request-Id", "")
        request.request_id = given if _ACCEPTABLE_ID.fullmatch(given) else uuid.uuid4().hex
        token = request_id.set(request.request_id)
        started = time.perf_counter()
        try:
            response = self.get_response(request)
            response["X-Request-Id"] = request.request_id
            _log_request(request, response.status_code, time.perf_counter() - started)
            return response
        finally:
            request_id.reset(token)


def _log_request(request, status, seconds):
    """Write who asked for what. No query string and no body: both carry what people and programs say."""
    match = request.resolver_match
    probe = match is not None and match.url_name in ("healthz", "readyz")
    facts = {
        "method": request.method,
        "path": _loggable_path(request.path, match),
        "status": status,
        "duration_ms": round(seconds * 1000, 1),
    }
    # Only when something else loaded them: the log line shall not cost a query.
    user = getattr(request, "_cached_user", None)
    if user is not None and user.pk:
        facts["user_id"] = user.pk
    if key := getattr(request, "auth", None):
        facts["api_key_id"] = key.pk
    log.log(logging.DEBUG if probe else logging.INFO, "request", extra=facts)


def _loggable_path(path, match):
    """Return the path; where a part of it is a secret (one-time links), the route."""
    secret = match is not None and {"token", "key", "uidb36"} & match.kwargs.keys()
    return match.route if secret else path


class ChunkedBodyMiddleware:
    """Makes a chunked body readable.

    JS exporters send no Content-Length, and Django then takes the body for empty (WSGIRequest limits the stream
    to CONTENT_LENGTH). Granian marks such streams with wsgi.input_terminated, so they can be read to their end,
    into a file beyond 1 MiB.

    A client that dies in mid-body looks to us like one that is done: granian keeps the error to itself. JSON and
    gzip then do not parse, and neither does protobuf, unless it was cut between two of its outermost messages.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        environ = request.environ
        if environ.get("wsgi.input_terminated") and not environ.get("CONTENT_LENGTH"):
            body = tempfile.SpooledTemporaryFile(max_size=1024 * 1024)  # noqa: SIM115 - lives as long as the request
            size = 0
            while chunk := environ["wsgi.input"].read(64 * 1024):
                size += len(chunk)
                if size > settings.OTLP_MAX_BODY_BYTES:
                    return JsonResponse(
                        error_body(
                            f"The body exceeds {settings.OTLP_MAX_BODY_BYTES} bytes; send less.",
                            "PayloadTooLargeError",
                        ),
                        status=413,
                    )
                body.write(chunk)
            body.seek(0)
            environ["CONTENT_LENGTH"] = str(size)
            request.META["CONTENT_LENGTH"] = str(size)
            request._stream = body
        return self.get_response(request)


class SignInMiddleware(LoginRequiredMiddleware):
    """Sends whoever isn't signed in to the sign-in page; a fragment gets a 401, which swaps nothing.

    Redirected, htmx would put the sign-in page where the fragment belongs, over what the person was typing.
    """

    def handle_no_permission(self, request, view_func):
        if request.headers.get("HX-Request") == "true":
            return HttpResponse("You are signed out.", status=401)
        return super().handle_no_permission(request, view_func)

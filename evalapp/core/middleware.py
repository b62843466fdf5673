"""What every request passes: a request id, and bodies that arrive in chunks."""

import re
import tempfile
import uuid

from django.conf import settings
from django.http import JsonResponse

from evalapp.core.logs import request_id

_ACCEPTABLE_ID = re.compile(r"[\w.-]{1,64}")


class RequestIdMiddleware:
    """Gives each request an id, which its log lines and its response carry."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        given = request.headers.get("X-Request-Id", "")
        request.request_id = given if _ACCEPTABLE_ID.fullmatch(given) else uuid.uuid4().hex
        token = request_id.set(request.request_id)
        try:
            response = self.get_response(request)
            response["X-Request-Id"] = request.request_id
            return response
        finally:
            request_id.reset(token)


class ChunkedBodyMiddleware:
    """Makes a chunked body readable.

    JS exporters send no Content-Length, and Django then takes the body for empty (WSGIRequest limits the stream
    to CONTENT_LENGTH). Granian marks such streams with wsgi.input_terminated, so they can be read to their end,
    into a file beyond 1 MiB.
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
                        {
                            "message": f"The body exceeds {settings.OTLP_MAX_BODY_BYTES} bytes; send less.",
                            "error": "PayloadTooLargeError",
                        },
                        status=413,
                    )
                body.write(chunk)
            body.seek(0)
            environ["CONTENT_LENGTH"] = str(size)
            request.META["CONTENT_LENGTH"] = str(size)
            request._stream = body
        return self.get_response(request)

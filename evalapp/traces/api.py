"""OTLP ingest over HTTP."""

import logging
import time

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpResponse, JsonResponse
from django.http.request import UnreadablePostError
from django.views.decorators.csrf import csrf_exempt
from rest_framework.exceptions import AuthenticationFailed, Throttled

from evalapp.core.errors import error_body
from evalapp.projects.authentication import authenticate
from evalapp.projects.models import Project
from evalapp.projects.throttling import throttle
from evalapp.traces.actions import ingest
from evalapp.traces.group_commit import Unavailable
from evalapp.traces.otel import spans_of
from evalapp.traces.otlp_decode import ExportTooLarge, InvalidExport, gunzip

_NEWEST_INGESTION_VERSION = 4
_log = logging.getLogger(__name__)


@csrf_exempt
@login_not_required
def otlp_traces(request):
    """Store an OTLP trace export (protobuf or JSON, gzip or plain). 2xx means committed and readable."""
    if request.method != "POST":
        response = _error(405, "Send spans with POST.", "MethodNotAllowedError")
        response["Allow"] = "POST"
        return response
    try:
        key = authenticate(request.headers.get("Authorization", ""), with_project=False)
        throttle(key, "ingestion")
        is_json = _is_json(request)
        spans = spans_of(_body(request), is_json=is_json, received=time.time_ns())
        ingest(Project(pk=key.project_id), spans)
    except AuthenticationFailed as error:
        return _error(401, str(error.detail), "UnauthorizedError")
    except PermissionDenied as error:
        return _error(403, str(error), "ForbiddenError")
    except Throttled as error:
        return _slow_down(error)
    except _UnsupportedMediaType as error:
        return _error(415, str(error), "UnsupportedMediaTypeError")
    except InvalidExport as error:
        return _error(400, str(error), "InvalidRequestError")
    except ExportTooLarge as error:
        return _error(413, str(error), "PayloadTooLargeError")
    except (Unavailable, OperationalError, InterfaceError):
        # Exporters try again after 503, and spans sent twice are stored once.
        _log.exception("An export could not be stored")
        response = _error(503, "The database is out of reach; try again.", "ServiceUnavailableError")
        response["Retry-After"] = "1"
        return response
    if is_json:
        return JsonResponse({})
    return HttpResponse(content_type="application/x-protobuf")


@csrf_exempt
@login_not_required
def otlp_dropped(request):
    """Accept metrics and logs and keep nothing: an exporter that has one base URL sends them too."""
    if request.method != "POST":
        response = _error(405, "Send metrics and logs with POST.", "MethodNotAllowedError")
        response["Allow"] = "POST"
        return response
    try:
        throttle(authenticate(request.headers.get("Authorization", ""), with_project=False), "ingestion")
    except AuthenticationFailed as error:
        return _error(401, str(error.detail), "UnauthorizedError")
    except PermissionDenied as error:
        return _error(403, str(error), "ForbiddenError")
    except Throttled as error:
        return _slow_down(error)
    if "json" in request.content_type.lower():
        return JsonResponse({})
    return HttpResponse(content_type="application/x-protobuf")


class _UnsupportedMediaType(Exception):
    pass


def _is_json(request):
    version = request.headers.get("X-Langfuse-Ingestion-Version", "").strip()
    if version and not (
        version.isascii() and version.isdecimal() and int(version[:9]) <= _NEWEST_INGESTION_VERSION
    ):
        raise InvalidExport(
            f"x-langfuse-ingestion-version is {version[:40]!r}; known are 0 to {_NEWEST_INGESTION_VERSION}."
        )
    content_type = request.content_type.lower()
    if "json" in content_type:
        return True
    if "protobuf" in content_type:
        return False
    raise _UnsupportedMediaType(
        f"Content-Type is {content_type[:100]!r}; send application/x-protobuf or application/json."
    )


def _body(request):
    """Return the decoded body. A client that died on the way may have sent the first spans of more: refused."""
    try:
        body = request.body
    except RequestDataTooBig as error:
        raise ExportTooLarge(f"The body exceeds {settings.OTLP_MAX_BODY_BYTES} bytes; send less.") from error
    except (UnreadablePostError, OSError) as error:
        raise InvalidExport("The body ended early.") from error
    if len(body) != int(request.META.get("CONTENT_LENGTH") or 0):
        raise InvalidExport("The body is shorter than its Content-Length.")
    encoding = request.headers.get("Content-Encoding", "").strip().lower()
    if encoding in ("gzip", "x-gzip"):
        return gunzip(body, settings.OTLP_MAX_DECODED_BYTES)
    if encoding not in ("", "identity"):
        raise _UnsupportedMediaType(f"Content-Encoding is {encoding[:100]!r}; send gzip or none.")
    return body


def _slow_down(error):
    response = _error(429, str(error.detail), "RateLimitError")
    response["Retry-After"] = str(int(error.wait))
    return response


def _error(status, message, name):
    return JsonResponse(error_body(message, name), status=status)

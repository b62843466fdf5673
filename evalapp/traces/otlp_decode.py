"""OTLP bytes → plain Python: protobuf and JSON exports become the same tuples.

Bad structure rejects the whole export, as the protocol has no way to tell a client which spans to send again.
"""

import re
import zlib
from base64 import b64encode
from typing import NamedTuple

import orjson
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from evalapp.traces.clean import finite

# Deeper values become text: orjson cannot write more than 254 levels, and nobody can read them.
MAX_DEPTH = 64
_INT64 = 1 << 63


class InvalidExport(Exception):
    """The export is malformed; the text says where."""


class ExportTooLarge(Exception):
    """The export exceeds a limit; the text says which."""


class Origin(NamedTuple):
    """What all spans of one instrumentation scope share."""

    resource: dict
    scope_name: str
    scope_version: str
    scope_attributes: dict


class WireSpan(NamedTuple):
    """A span with plain values. Ids are lower-case hex, times nanoseconds, 0 when missing."""

    trace_id: str
    id: str
    parent_id: str | None
    name: str
    start: int
    end: int
    attributes: dict
    status_code: int
    status_message: str
    events: list  # of (name, nanoseconds, attributes)


def gunzip(body, limit):
    """Return the decompressed body. Raises ExportTooLarge beyond `limit` bytes, which a few KiB can unpack to."""
    parts, size = [], 0
    while body:
        stream = zlib.decompressobj(wbits=31)
        try:
            while body and not stream.eof:
                part = stream.decompress(body, 1 << 20)
                body = stream.unconsumed_tail
                size += len(part)
                if size > limit:
                    raise ExportTooLarge(f"The decompressed body exceeds {limit} bytes; send smaller batches.")
                parts.append(part)
                if not part and not body:
                    break
        except zlib.error as error:
            raise InvalidExport(f"The body is not valid gzip: {error}.") from error
        if not stream.eof:
            raise InvalidExport("The gzip body ends early.")
        body = stream.unused_data  # a gzip file may have several members
    return b"".join(parts)


def protobuf_spans(body):
    """Yield (Origin, [WireSpan]) of an encoded ExportTraceServiceRequest. Raises InvalidExport."""
    try:
        request = ExportTraceServiceRequest.FromString(body)
    except DecodeError as error:
        raise InvalidExport("The body is not a valid ExportTraceServiceRequest.") from error
    index = 0
    for resource_spans in request.resource_spans:
        resource = _attributes(resource_spans.resource.attributes)
        for scope_spans in resource_spans.scope_spans:
            scope = scope_spans.scope
            spans = []
            for span in scope_spans.spans:
                trace_id, span_id, parent_id = span.trace_id, span.span_id, span.parent_span_id
                if len(trace_id) != 16 or not any(trace_id):
                    raise _bad_id("traceId", trace_id.hex(), 32, index, span.name)
                if len(span_id) != 8 or not any(span_id):
                    raise _bad_id("spanId", span_id.hex(), 16, index, span.name)
                if parent_id and len(parent_id) != 8:
                    raise _bad_id("parentSpanId", parent_id.hex(), 16, index, span.name)
                status = span.status
                spans.append(
                    WireSpan(
                        trace_id.hex(),
                        span_id.hex(),
                        parent_id.hex() if parent_id and any(parent_id) else None,
                        span.name,
                        span.start_time_unix_nano,
                        span.end_time_unix_nano,
                        {pair.key: pair.value.string_value or _value(pair.value) for pair in span.attributes},
                        status.code,
                        status.message,
                        [
                            (event.name, event.time_unix_nano, _attributes(event.attributes))
                            for event in span.events
                        ],
                    )
                )
                index += 1
            yield Origin(resource, scope.name, scope.version, _attributes(scope.attributes)), spans


def _attributes(pairs):
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value, depth=0):
    kind = value.WhichOneof("value")
    if kind == "string_value":
        return value.string_value
    if kind == "int_value":
        return value.int_value
    if kind == "bool_value":
        return value.bool_value
    if kind == "double_value":
        return finite(value.double_value)
    if kind == "bytes_value":
        return b64encode(value.bytes_value).decode()
    if depth > MAX_DEPTH:
        return "(nested too deeply)"
    if kind == "array_value":
        return [_value(item, depth + 1) for item in value.array_value.values]
    if kind == "kvlist_value":
        return {pair.key: _value(pair.value, depth + 1) for pair in value.kvlist_value.values}
    return None


def json_spans(body):
    """Yield (Origin, [WireSpan]) of an OTLP/JSON export. Raises InvalidExport."""
    try:
        export = orjson.loads(body)
    except orjson.JSONDecodeError:
        try:
            export = orjson.loads(_ESCAPE.sub(_replace_lone_surrogate, body))
        except orjson.JSONDecodeError as error:
            raise InvalidExport(f"The body is not valid JSON: {error}.") from error
    if not isinstance(export, dict):
        raise InvalidExport("The body is not a JSON object.")
    index = 0
    for resource_spans in _objects(export, "resourceSpans", "the export"):
        resource = _json_attributes(_object(resource_spans, "resource", "resourceSpans"), "the resource")
        for scope_spans in _objects(resource_spans, "scopeSpans", "resourceSpans"):
            scope = _object(scope_spans, "scope", "scopeSpans")
            spans = []
            for span in _objects(scope_spans, "spans", "scopeSpans"):
                spans.append(_json_span(span, index))
                index += 1
            yield (
                Origin(
                    resource,
                    _text(scope.get("name")),
                    _text(scope.get("version")),
                    _json_attributes(scope, "the scope"),
                ),
                spans,
            )


# Strings cut in the middle of an emoji: JavaScript writes half a surrogate pair, which no JSON reader accepts.
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)


def _replace_lone_surrogate(match):
    return b"\\ufffd" if match.group(1) else match.group(0)


def _json_span(span, index):
    name = _text(span.get("name"))
    where = f"span {index} ({name!r})"
    trace_id = _json_id(span, "traceId", 32, index, name)
    span_id = _json_id(span, "spanId", 16, index, name)
    parent_id = span.get("parentSpanId") or ""
    if not isinstance(parent_id, str) or not _HEX.fullmatch(parent_id) or len(parent_id) not in (0, 16):
        raise _bad_id("parentSpanId", parent_id, 16, index, name)
    status = _object(span, "status", where)
    return WireSpan(
        trace_id,
        span_id,
        parent_id.lower() if parent_id.strip("0") else None,
        name,
        _nanoseconds(span, "startTimeUnixNano", where),
        _nanoseconds(span, "endTimeUnixNano", where),
        _json_attributes(span, where),
        _status_code(status.get("code")),
        _text(status.get("message")),
        [
            (_text(event.get("name")), _nanoseconds(event, "timeUnixNano", where), _json_attributes(event, where))
            for event in _objects(span, "events", where)
        ],
    )


_HEX = re.compile(r"[0-9a-fA-F]*")


def _json_id(span, field, length, index, name):
    text = span.get(field)
    if not isinstance(text, str) or len(text) != length or not _HEX.fullmatch(text) or not text.strip("0"):
        raise _bad_id(field, text, length, index, name)
    return text.lower()


def _bad_id(field, value, length, index, name):
    found = f"{str(value)[:80]!r}" if value else "missing"
    return InvalidExport(
        f"Span {index} ({name[:200]!r}): {field} is {found}; it must be {length} hex digits, not all zero."
    )


def _objects(parent, field, where):
    items = parent.get(field)
    if items is None:
        return []
    if not isinstance(items, list):
        raise InvalidExport(f"{field} of {where} is not an array.")
    for item in items:
        if not isinstance(item, dict):
            raise InvalidExport(f"{field} of {where} holds something that is not an object.")
    return items


def _object(parent, field, where):
    item = parent.get(field)
    if item is None:
        return {}
    if not isinstance(item, dict):
        raise InvalidExport(f"{field} of {where} is not an object.")
    return item


def _text(value):
    return value if isinstance(value, str) else "" if value is None else str(value)


def _nanoseconds(parent, field, where):
    value = parent.get(field) or 0
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidExport(f"{field} of {where} is not a number of nanoseconds.") from error
    return number if 0 <= number < 2 * _INT64 else 0


_STATUS_CODES = {"STATUS_CODE_OK": 1, "STATUS_CODE_ERROR": 2, "1": 1, "2": 2, 1: 1, 2: 2}


def _status_code(code):
    return _STATUS_CODES.get(code, 0) if isinstance(code, str | int) else 0


def _json_attributes(parent, where):
    return {
        _text(pair.get("key")): _json_value(_object(pair, "value", where))
        for pair in _objects(parent, "attributes", where)
    }


def _json_value(value, depth=0):
    """Return the plain value of an AnyValue in JSON. What has the wrong type is kept as text."""
    for kind, content in value.items():
        if kind == "stringValue":
            return _text(content)
        if kind == "boolValue":
            return content if isinstance(content, bool) else str(content).lower() == "true"
        if kind == "intValue":
            return _integer(content)
        if kind == "doubleValue":
            return _double(content)
        if kind == "bytesValue":
            return _text(content)
        if depth > MAX_DEPTH:
            return "(nested too deeply)"
        if kind == "arrayValue":
            items = content.get("values") if isinstance(content, dict) else None
            if not isinstance(items, list):
                return []
            return [_json_value(item, depth + 1) if isinstance(item, dict) else None for item in items]
        if kind == "kvlistValue":
            pairs = content.get("values") if isinstance(content, dict) else None
            if not isinstance(pairs, list):
                return {}
            return {
                _text(pair.get("key")): _json_value(pair.get("value") or {}, depth + 1)
                for pair in pairs
                if isinstance(pair, dict) and isinstance(pair.get("value") or {}, dict)
            }
    return None


def _integer(content):
    try:
        number = int(content)
    except (TypeError, ValueError, OverflowError):
        return str(content)
    return number if -_INT64 <= number < _INT64 else str(number)


def _double(content):
    try:
        return finite(float(content))
    except (TypeError, ValueError, OverflowError):
        return str(content)

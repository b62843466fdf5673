"""Small OTLP exports for tests: protobuf and JSON from the same description."""

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

START = 1_795_000_000 * 10**9  # a moment in November 2026


def any_value(value):
    """Return a Python value as OTLP/JSON writes it."""
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, list):
        return {"arrayValue": {"values": [any_value(item) for item in value]}}
    if isinstance(value, dict):
        return {"kvlistValue": {"values": pairs(value)}}
    return {"stringValue": value}


def pairs(attributes):
    return [{"key": key, "value": any_value(value)} for key, value in attributes.items()]


def json_span(attributes=(), *, trace="a" * 32, id="b" * 16, parent=None, name="span", start=0, end=1, **fields):
    """A span in OTLP/JSON; `start` and `end` are seconds after START."""
    span = {
        "traceId": trace,
        "spanId": id,
        "name": name,
        "startTimeUnixNano": str(START + int(start * 10**9)),
        "endTimeUnixNano": str(START + int(end * 10**9)),
        "attributes": pairs(dict(attributes)),
        **fields,
    }
    return {**span, "parentSpanId": parent} if parent else span


def export(*spans, resource=(), scope="my.scope", scope_version="1"):
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": pairs(dict(resource))},
                "scopeSpans": [{"scope": {"name": scope, "version": scope_version}, "spans": list(spans)}],
            }
        ]
    }


def protobuf(export):
    """Encode an OTLP/JSON export as protobuf."""
    request = ExportTraceServiceRequest()
    for resource_spans in export["resourceSpans"]:
        to_resource = request.resource_spans.add()
        _put(to_resource.resource.attributes, resource_spans["resource"]["attributes"])
        for scope_spans in resource_spans["scopeSpans"]:
            to_scope = to_resource.scope_spans.add()
            to_scope.scope.name = scope_spans["scope"]["name"]
            to_scope.scope.version = scope_spans["scope"]["version"]
            for span in scope_spans["spans"]:
                to_span = to_scope.spans.add()
                to_span.trace_id = bytes.fromhex(span["traceId"])
                to_span.span_id = bytes.fromhex(span["spanId"])
                to_span.parent_span_id = bytes.fromhex(span.get("parentSpanId", ""))
                to_span.name = span["name"]
                to_span.start_time_unix_nano = int(span["startTimeUnixNano"])
                to_span.end_time_unix_nano = int(span["endTimeUnixNano"])
                to_span.status.code = span.get("status", {}).get("code", 0)
                to_span.status.message = span.get("status", {}).get("message", "")
                _put(to_span.attributes, span["attributes"])
                for event in span.get("events", ()):
                    to_event = to_span.events.add()
                    to_event.name = event["name"]
                    to_event.time_unix_nano = int(event.get("timeUnixNano", 0))
                    _put(to_event.attributes, event["attributes"])
    return request.SerializeToString()


def _put(target, source):
    for pair in source:
        entry = target.add()
        entry.key = pair["key"]
        _set(entry.value, pair["value"])


def _set(target, value):
    if "arrayValue" in value:
        target.array_value.SetInParent()
        for item in value["arrayValue"]["values"]:
            _set(target.array_value.values.add(), item)
    elif "kvlistValue" in value:
        target.kvlist_value.SetInParent()
        _put(target.kvlist_value.values, value["kvlistValue"]["values"])
    elif "stringValue" in value:
        target.string_value = value["stringValue"]
    elif "boolValue" in value:
        target.bool_value = value["boolValue"]
    elif "intValue" in value:
        target.int_value = int(value["intValue"])
    else:
        target.double_value = value["doubleValue"]

"""The event batch of the older SDKs: traces, observations and scores in one list, each event on its own fate.

Events of one entity are merged in the order of their timestamps, and with what is stored: what an update leaves
out, or sends as null, stays as it is. So a batch may come twice.
"""

import zlib
from dataclasses import dataclass, field
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.http import Http404
from django.utils.timezone import now
from rest_framework import serializers

from evalapp.core import payload
from evalapp.core.api import JSONValue, Text, parse_time
from evalapp.scores.actions import save_scores
from evalapp.scores.judgements import BAD_JUDGEMENT, Moment, describe, read_scores
from evalapp.traces import usage
from evalapp.traces.actions import ingest
from evalapp.traces.models import Level, ObservationType
from evalapp.traces.otel import environment_of
from evalapp.traces.spans import Span

_LOCKS = 256
_TYPED = (
    "span",
    "generation",
    "event",
    "agent",
    "tool",
    "chain",
    "retriever",
    "evaluator",
    "embedding",
    "guardrail",
)
# Event type → the observation type that it stands for; None where the body says it.
_OBSERVATION_EVENTS = {
    **{f"{name}-{verb}": ObservationType(name.upper()) for name in _TYPED for verb in ("create", "update")},
    "observation-create": None,
    "observation-update": None,
}


def _text(**options):
    return Text(required=False, allow_null=True, allow_blank=True, **options)


class TraceBody(serializers.Serializer):
    """What a trace-create event says."""

    id = _text(max_length=255)
    timestamp = Moment(required=False, allow_null=True)
    name = _text()
    userId = _text()
    sessionId = _text()
    release = _text()
    version = _text()
    environment = _text()
    input = JSONValue()
    output = JSONValue()
    metadata = JSONValue()
    tags = serializers.ListField(child=Text(allow_blank=True), required=False, allow_null=True)
    public = serializers.BooleanField(required=False, allow_null=True)


class ObservationBody(serializers.Serializer):
    """What an event says about an observation."""

    id = _text(max_length=255)
    traceId = _text(max_length=255)
    type = serializers.ChoiceField(ObservationType.values, required=False, allow_null=True)
    name = _text()
    startTime = Moment(required=False, allow_null=True)
    endTime = Moment(required=False, allow_null=True)
    completionStartTime = Moment(required=False, allow_null=True)
    parentObservationId = _text(max_length=255)
    level = serializers.ChoiceField(Level.values, required=False, allow_null=True)
    statusMessage = _text()
    version = _text()
    environment = _text()
    model = _text()
    modelParameters = serializers.DictField(required=False, allow_null=True)
    input = JSONValue()
    output = JSONValue()
    metadata = JSONValue()
    usage = serializers.DictField(required=False, allow_null=True)
    usageDetails = serializers.DictField(required=False, allow_null=True)
    costDetails = serializers.DictField(required=False, allow_null=True)
    promptName = _text()
    promptVersion = serializers.IntegerField(required=False, allow_null=True, min_value=0, max_value=2**31 - 1)


@dataclass
class Event:
    """One event of a batch; `error` is why it was refused."""

    id: str
    type: str = ""
    at: datetime | None = None
    body: dict = field(default_factory=dict)
    error: Exception | None = None


def store_batch(key, batch, more_handlers):
    """Store a batch of events for the ApiKey's project. Returns the Events, each id once, with their errors.

    `more_handlers` is {event type: function(project, body)} for what other apps store, after all spans; such a
    function raises one of BAD_JUDGEMENT to refuse, and then must have changed nothing.
    """
    events = list({event.id: event for event in map(_event, batch)}.values())
    for event in events:
        if event.error is None:
            event.error = _problem(event, more_handlers)
    with transaction.atomic():
        _store_spans(key.project, events)
        _store_scores(key, events)
        _store_more(key.project, events, more_handlers)
    return events


def _event(given):
    """Return the Event that one element of the batch stands for; without an id it is one of its own."""
    if not isinstance(given, dict) or not isinstance(given.get("id"), str):
        return Event(f"unknown-{id(given)}", error=ValidationError({"id": "An event is an object with an id."}))
    event = Event(given["id"], type=str(given.get("type")))
    try:
        event.at = parse_time(given["timestamp"], "timestamp") if given.get("timestamp") else now()
        if not isinstance(given.get("body"), dict):
            raise ValidationError({"body": "An event has a body."})
        event.body = given["body"]
    except ValidationError as error:
        event.error = error
    return event


def _problem(event, more_handlers):
    """Check the body of a trace or observation event, replacing it by its checked form."""
    if event.type in ("score-create", "sdk-log") or event.type in more_handlers:
        return None
    if event.type != "trace-create" and event.type not in _OBSERVATION_EVENTS:
        return ValidationError({"type": f"{event.type[:100]!r} is no type of event."})
    data = (TraceBody if event.type == "trace-create" else ObservationBody)(data=event.body)
    if not data.is_valid():
        return serializers.ValidationError(data.errors)
    event.body = {name: value for name, value in data.validated_data.items() if value is not None}
    if not event.body.get("id"):
        event.body["id"] = event.id[:255]
    return None


def _good(events, types):
    chosen = [event for event in events if event.error is None and event.type in types]
    return sorted(chosen, key=lambda event: event.at)


def _store_scores(key, events):
    events = _good(events, ("score-create",))
    bodies = []
    for event in events:
        defaults = {"id": event.id, "timestamp": event.at.isoformat()}
        bodies.append({**event.body, **{name: event.body.get(name) or value for name, value in defaults.items()}})
    scores = []
    for event, score in zip(events, read_scores(key, bodies), strict=True):
        if isinstance(score, BAD_JUDGEMENT):
            event.error = score
        else:
            scores.append(score)
    save_scores(scores)


def _store_more(project, events, handlers):
    for event in _good(events, handlers):
        try:
            handlers[event.type](project, event.body)
        except BAD_JUDGEMENT as error:
            event.error = error


def _store_spans(project, events):
    spans = [_trace_span(event) for event in _good(events, ("trace-create",))]
    observations = _good(events, _OBSERVATION_EVENTS)
    if observations:
        _find_traces(project, observations)
        _take_turns(project, observations)
        spans += _merged(project, observations)
    ingest(project, spans)


def _trace_span(event):
    body = event.body
    return Span(
        body["id"],
        "",
        body.get("timestamp", event.at),
        event.at,
        trace_name=body.get("name"),
        user_id=body.get("userId") or None,
        session_id=body.get("sessionId") or None,
        release=body.get("release"),
        version=body.get("version"),
        environment=_environment(body),
        tags=tuple(body.get("tags", ())),
        trace_metadata=_object(body.get("metadata")),
        trace_input=_payload(body.get("input")),
        trace_output=_payload(body.get("output")),
        public=body.get("public", False),
    )


def _find_traces(project, events):
    """Give every event its trace: updates may leave it out, and an observation without one is its own trace."""
    known = {event.body["id"]: event.body["traceId"] for event in events if event.body.get("traceId")}
    lost = {event.body["id"] for event in events} - known.keys()
    if lost:
        known.update(project.observations.filter(id__in=lost).values_list("id", "trace_id"))
    for event in events:
        event.body["traceId"] = event.body.get("traceId") or known.get(event.body["id"], event.body["id"])


def _take_turns(project, events):
    """Let nobody else merge into the same observations between our reading and our writing them.

    Locks of a fixed number of slots, in order: a batch of many traces needs no more, and none can deadlock.
    """
    slots = {zlib.crc32(f"{project.pk}/{event.body['traceId']}".encode()) % _LOCKS for event in events}
    with connection.cursor() as cursor:
        for slot in sorted(slots):
            cursor.execute("SELECT pg_advisory_xact_lock(11, %s)", [slot])


def _merged(project, events):
    keys = {(event.body["traceId"], event.body["id"]) for event in events}
    rows = project.observations.filter(
        trace_id__in={trace_id for trace_id, _ in keys}, id__in={span_id for _, span_id in keys}
    )
    spans = {(row.trace_id, row.id): _span_of(row) for row in rows if (row.trace_id, row.id) in keys}
    for event in events:
        key = event.body["traceId"], event.body["id"]
        if key not in spans:
            spans[key] = Span(*key, event.at)
        _apply(spans[key], event)
    return list(spans.values())


def _span_of(row):
    """Return a stored observation as the Span that stores it again."""
    return Span(
        row.trace_id,
        row.id,
        row.start_time,
        row.end_time,
        row.parent_id,
        row.type,
        row.name,
        row.level,
        row.status_message,
        row.completion_start_time,
        row.model,
        payload.load(row.model_parameters),
        payload.load(row.usage),
        payload.load(row.cost),
        row.input_tokens,
        row.output_tokens,
        row.total_tokens,
        row.total_cost,
        row.prompt_name,
        row.prompt_version,
        row.experiment_id,
        payload.load(row.experiment),
        row.input,
        row.output,
        payload.load(row.metadata) or {},
        environment=row.environment,
        version=row.version,
        as_root=row.is_root and row.parent_id is not None,
    )


_PLAIN = {
    "name": "name",
    "startTime": "start_time",
    "endTime": "end_time",
    "completionStartTime": "completion_start_time",
    "parentObservationId": "parent_id",
    "level": "level",
    "statusMessage": "status_message",
    "version": "version",
    "model": "model",
    "modelParameters": "model_parameters",
    "promptName": "prompt_name",
    "promptVersion": "prompt_version",
}


def _apply(span, event):
    """Put what one event says into the span."""
    body = event.body
    for name, column in _PLAIN.items():
        if body.get(name) not in (None, ""):
            setattr(span, column, body[name])
    if "type" in body or _OBSERVATION_EVENTS[event.type]:
        span.type = _OBSERVATION_EVENTS[event.type] or body["type"]
    if "environment" in body:
        span.environment = _environment(body)
    for name in ("input", "output"):
        if name in body:
            setattr(span, name, _payload(body[name]))
    if "metadata" in body:
        span.metadata = {**span.metadata, **_object(body["metadata"])}
    _apply_usage(span, body)


def _apply_usage(span, body):
    counts, cost = _usage(body), _cost(body)
    if counts:
        span.usage = counts
        span.input_tokens, span.output_tokens, span.total_tokens = usage.token_counts(counts)
        # What the old usage cost says nothing about the new one: it is priced again.
        span.cost = span.total_cost = None
    if cost:
        span.cost, span.total_cost = cost, cost["total"]


def _usage(body):
    if body.get("usageDetails"):
        return usage.usage_of_json(body["usageDetails"])
    given = body.get("usage") or {}
    counts = {}
    for name, spellings in (
        ("input", ("input", "promptTokens", "prompt_tokens")),
        ("output", ("output", "completionTokens", "completion_tokens")),
        ("total", ("total", "totalTokens", "total_tokens")),
    ):
        count = next((count for key in spellings if (count := usage.tokens(given.get(key))) is not None), None)
        if count is not None:
            counts[name] = count
    return usage.with_total(counts)


def _cost(body):
    if body.get("costDetails"):
        return usage.cost_of_json(body["costDetails"])
    given = body.get("usage") or {}
    costs = {name: given[f"{name}Cost"] for name in ("input", "output", "total") if given.get(f"{name}Cost")}
    return usage.cost_of_json(costs) if costs else None


def _environment(body):
    return environment_of(body["environment"]) if body.get("environment") else None


def _payload(value):
    return value if value is None or isinstance(value, str) else payload.dump(value)


def _object(value):
    if value is None or isinstance(value, dict):
        return value or {}
    return {"metadata": value}


def refusal(event):
    """Return what a batch's answer says about an event that was refused."""
    missing = isinstance(event.error, Http404)
    return {
        "id": event.id,
        "status": 404 if missing else 400,
        "message": describe(event.error),
        "error": "LangfuseNotFoundError" if missing else "InvalidRequestError",
    }

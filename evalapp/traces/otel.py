"""OTLP exports → Spans: what every known kind of span attribute says, in our columns."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import orjson

from evalapp.traces import messages, usage
from evalapp.traces.clean import json_bytes
from evalapp.traces.conventions import LEVELS, plan_for
from evalapp.traces.otlp_decode import json_spans, protobuf_spans
from evalapp.traces.spans import Span

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Clocks that were never set say 1970; nothing was traced before this.
_FIRST_NANOSECOND = 946_684_800 * 10**9  # 2000
_CLOCK_SKEW = 24 * 3600 * 10**9
_ENVIRONMENT = re.compile(r"[a-z0-9_-]+")
_OLD_PYTHON_SDK = re.compile(r"(2|3\.[0-3])(\.|$)")


def spans_of(body, *, is_json, received):
    """Return the Spans of an export that arrived at `received` (nanoseconds). Raises InvalidExport."""
    spans = []
    for origin, wire_spans in json_spans(body) if is_json else protobuf_spans(body):
        shared = _Shared(origin)
        spans.extend([_span(shared, wire, received) for wire in wire_spans])
    return spans


class _Shared:
    """What the resource and the scope say about each of their spans."""

    __slots__ = ("environment", "environment_is_langfuses", "is_old_sdk", "release", "telemetry", "version")

    def __init__(self, origin):
        resource = origin.resource
        self.telemetry = json_bytes(
            {
                "resourceAttributes": resource,
                "scope": {
                    "name": origin.scope_name,
                    "version": origin.scope_version,
                    "attributes": origin.scope_attributes,
                },
            }
        )[1:-1]
        self.version = _text(resource.get("service.version"))
        self.release = _text(resource.get("langfuse.release"))
        langfuses = _text(resource.get("langfuse.environment"))
        self.environment_is_langfuses = langfuses is not None
        self.environment = (
            langfuses
            or _text(resource.get("deployment.environment.name"))
            or _text(resource.get("deployment.environment"))
        )
        self.is_old_sdk = origin.scope_name == "langfuse-sdk" and bool(_OLD_PYTHON_SDK.match(origin.scope_version))


def _span(shared, wire, received):
    attributes = wire.attributes
    plan = plan_for(attributes)
    start, end, telemetry = wire.start, wire.end, shared.telemetry
    if not _FIRST_NANOSECOND <= start <= end <= received + _CLOCK_SKEW:
        start, end, telemetry = _repair_times(start, end, received, telemetry)
    span = Span(
        wire.trace_id,
        wire.id,
        _EPOCH + timedelta(microseconds=start // 1000),
        _EPOCH + timedelta(microseconds=end // 1000),
        wire.parent_id,
        plan.default_type,
        wire.name or None,
    )
    span.environment = shared.environment
    span.version = shared.version
    span.release = shared.release

    events = wire.events
    if events:
        if not plan.says_langfuse:
            span.input, span.output, events = messages.from_events(events)
        if events:
            telemetry += b',"events":' + json_bytes(
                [
                    {"name": name, "time": _iso(time, received), "attributes": values}
                    for name, time, values in events
                ]
            )
    for field, sources in plan.fields:
        _READERS[field](span, attributes, sources)
    for key, types in plan.types:
        found = types.get(str(attributes[key]).lower())
        if found:
            span.type = found
            break
    if plan.metadata:
        span.metadata = _metadata(attributes, plan.metadata)
        _take_langchain_hints(span, span.metadata)
    if plan.trace_metadata:
        span.trace_metadata = _metadata(attributes, plan.trace_metadata)
        _take_langchain_hints(span, span.trace_metadata)

    if wire.status_code == 2 and span.level == "DEFAULT" and "langfuse.observation.level" not in attributes:
        span.level = "ERROR"
    if wire.status_message and span.status_message is None:
        span.status_message = wire.status_message
    if shared.is_old_sdk and span.type == "SPAN":
        span.type = plan.default_type
    if span.environment is not None:
        if shared.environment_is_langfuses and "langfuse.environment" not in attributes:
            span.environment = shared.environment
        span.environment = environment_of(span.environment)
    if span.type != "GENERATION":
        span.prompt_name = span.prompt_version = None
    if plan.others:
        telemetry += b',"attributes":' + json_bytes({key: attributes[key] for key in plan.others})
    span.telemetry = telemetry
    return span


def _repair_times(start, end, received, telemetry):
    """Return a plausible (start, end), and the telemetry with what was said, where that was another time."""
    first, last = _FIRST_NANOSECOND, received + _CLOCK_SKEW
    good_start = start if first <= start <= last else None
    good_end = end if first <= end <= last else None
    if good_start is None:
        good_start = good_end if good_end is not None else received
    if good_end is None or good_end < good_start:
        good_end = good_start
    if (start and start != good_start) or (end and end != good_end):
        telemetry += b',"reportedTimes":' + json_bytes({"start": str(start), "end": str(end)})
    return good_start, good_end, telemetry


def _iso(nanoseconds, received):
    if not nanoseconds or nanoseconds > received + _CLOCK_SKEW:
        return None
    return (_EPOCH + timedelta(microseconds=nanoseconds // 1000)).isoformat()


@lru_cache(4096)
def environment_of(text):
    """Return the environment as the SDKs' server names it: lower case, at most 40 of a-z 0-9 - _, else default."""
    text = text.lower()
    while text.startswith("langfuse"):
        text = text.removeprefix("langfuse")
        text = text[1:] if text[:1] in ("-", "_") else text
    text = text[:40]
    return text if _ENVIRONMENT.fullmatch(text) else "default"


def _text(value):
    """Return a scalar as text; None for nothing."""
    if isinstance(value, str):
        return value or None
    if value is None:
        return None
    if isinstance(value, bool | int | float):
        return str(value)
    return json_bytes(value).decode()


def decode(value):
    """Return what the text is in strict JSON, else the text. Other values stay as they are."""
    if not isinstance(value, str) or not value or value[0] not in _JSON_BEGINS:
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return value


_JSON_BEGINS = frozenset('{["-0123456789tfn \t\r\n')


def _metadata(attributes, sources):
    metadata = {}
    for key, name in sources:
        value = decode(attributes[key])
        if name is not None:
            metadata[name] = value
        elif isinstance(value, dict):
            metadata.update(value)
        elif value is not None:
            metadata["metadata"] = value
    return metadata


def _take_langchain_hints(span, metadata):
    """LangChain users can only pass metadata, so the SDKs let them name user, session and tags there."""
    if span.user_id is None and "langfuse_user_id" in metadata:
        span.user_id = _text(metadata["langfuse_user_id"])
    if span.session_id is None and "langfuse_session_id" in metadata:
        span.session_id = _text(metadata["langfuse_session_id"])
    if not span.tags and "langfuse_tags" in metadata:
        span.tags = tags_of(metadata["langfuse_tags"])


def tags_of(value):
    """Return the tags of a list, a JSON array, a comma list or one text."""
    if isinstance(value, str):
        parsed = decode(value) if value.lstrip()[:1] == "[" else None
        value = parsed if isinstance(parsed, list) else value.split(",")
    elif not isinstance(value, list):
        value = [] if value is None else [value]
    texts = (_text(tag) for tag in value)
    return tuple(tag.strip() for tag in texts if tag and tag.strip())


def _text_reader(field):
    def read(span, attributes, sources):
        for key, _ in sources:
            value = attributes[key]
            value = value if isinstance(value, str) else _text(value)
            if value:
                setattr(span, field, value)
                return

    return read


_PLAIN_GROUPS = {
    "gen_ai.prompt.",
    "gen_ai.completion.",
    "llm.input_messages.",
    "llm.output_messages.",
}


def _payload_reader(field):
    def read(span, attributes, sources):
        if getattr(span, field) is not None:
            return
        for key, group in sources:
            if key in _PLAIN_GROUPS:
                value = messages.plain_messages(messages.unflatten(attributes, group, key))
            else:
                value = attributes[key]
            if value is not None and value != "":
                setattr(span, field, value if isinstance(value, str) else json_bytes(value).decode())
                return

    return read


def _read_system_instructions(span, attributes, sources):
    if span.input is not None and attributes.get("gen_ai.input.messages") == span.input:
        span.input = messages.with_system(attributes[sources[0][0]], span.input)


def _read_event_messages(span, attributes, sources):
    received, sent = messages.from_event_list(attributes[sources[0][0]])
    span.input = span.input if span.input is not None else received
    span.output = span.output if span.output is not None else sent


def _read_name(span, attributes, sources):
    span.name = _text(attributes[sources[0][0]]) or span.name


def _read_level(span, attributes, sources):
    span.level = LEVELS.get(str(attributes[sources[0][0]]).lower(), "DEFAULT")


def _read_model_parameters(span, attributes, sources):
    for key, group in sources:
        parameters = {name[len(key) :]: attributes[name] for name in group} if group else decode(attributes[key])
        if isinstance(parameters, dict):
            # OpenInference names a model of its own only once there is an answer: not for a failed call.
            if span.model is None:
                span.model = _text(parameters.get("model"))
            parameters = {
                name: value
                if isinstance(value, str | int | float) and not isinstance(value, bool)
                else json_bytes(value).decode()
                for name, value in parameters.items()
                if name != "model" and value is not None
            }
            if parameters:
                span.model_parameters = parameters
                return


def _read_usage(span, attributes, sources):
    for key, group in sources:
        if group:
            counts = usage.usage_of_attributes(attributes, group, key)
        else:
            counts = usage.usage_of_json(attributes[key])
        if counts:
            span.usage = counts
            span.input_tokens, span.output_tokens, span.total_tokens = usage.token_counts(counts)
            return


def _read_cost(span, attributes, sources):
    for key, group in sources:
        if group:
            total = usage.dollars(attributes.get("llm.cost.total"))
            cost = None if total is None else {"total": total}
        else:
            cost = usage.cost_of_json(attributes[key])
        if cost:
            span.cost, span.total_cost = cost, cost["total"]
            return


def _read_completion_start(span, attributes, sources):
    value = decode(attributes[sources[0][0]])
    try:
        moment = datetime.fromisoformat(value)
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (TypeError, ValueError, OverflowError):
        return
    if span.start_time <= moment <= span.end_time + timedelta(days=1):
        span.completion_start_time = moment


def _read_first_chunk(span, attributes, sources):
    wait = usage.dollars(attributes[sources[0][0]])
    if span.completion_start_time is None and wait is not None and 0 <= wait < 86_400_000:
        span.completion_start_time = span.start_time + timedelta(milliseconds=wait)


def _read_prompt_version(span, attributes, sources):
    number = usage.tokens(attributes[sources[0][0]])
    span.prompt_version = number if number is not None and number < 1 << 31 else None


_EXPERIMENT = "langfuse.experiment."


def _read_experiment(span, attributes, sources):
    said, metadata, item_metadata = {}, {}, {}
    for key in sources[0][1]:
        name, value = key.removeprefix(_EXPERIMENT), attributes[key]
        for prefix, target in (("metadata", metadata), ("item.metadata", item_metadata)):
            if name == prefix and isinstance(decode(value), dict):
                target.update(decode(value))
            elif name.startswith(f"{prefix}."):  # Python 4.x sends each key by itself
                target[name.removeprefix(f"{prefix}.")] = decode(value)
        said[name] = value if isinstance(value, str) else _text(value)
    span.experiment_id = said.get("id") or None
    # All spans of an item carry the attributes; one of them stands for it.
    stands_for_item = (
        said["item.root_observation_id"] == span.id if "item.root_observation_id" in said else span.is_root
    )
    if span.experiment_id and said.get("item.id") and stands_for_item:
        span.experiment = {
            "id": span.experiment_id,
            "name": said.get("name"),
            "description": said.get("description"),
            "metadata": metadata or None,
            "dataset_id": said.get("dataset.id"),
            "item_id": said["item.id"],
            "item_version": said.get("item.version"),
            "item_metadata": item_metadata or None,
            "expected_output": said.get("item.expected_output"),
        }


def _read_tags(span, attributes, sources):
    span.tags = tags_of(attributes[sources[0][0]])


def _read_public(span, attributes, sources):
    span.public = any(str(attributes[key]).lower() == "true" for key, _ in sources)


def _read_as_root(span, attributes, sources):
    span.as_root = any(str(attributes[key]).lower() == "true" for key, _ in sources)


# In the order of conventions.SOURCES: later readers may look at what earlier ones found.
_READERS = {
    **{
        field: _text_reader(field)
        for field in (
            "status_message",
            "version",
            "release",
            "environment",
            "model",
            "prompt_name",
            "user_id",
            "session_id",
            "trace_name",
        )
    },
    **{field: _payload_reader(field) for field in ("input", "output", "trace_input", "trace_output")},
    "name": _read_name,
    "level": _read_level,
    "model_parameters": _read_model_parameters,
    "usage": _read_usage,
    "cost": _read_cost,
    "completion_start": _read_completion_start,
    "first_chunk": _read_first_chunk,
    "prompt_version": _read_prompt_version,
    "tags": _read_tags,
    "public": _read_public,
    "as_root": _read_as_root,
    "system_instructions": _read_system_instructions,
    "event_messages": _read_event_messages,
    "experiment": _read_experiment,
}

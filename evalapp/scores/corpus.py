"""Rows of a corpus (traces.jsonl, notes.jsonl, labels.jsonl) → Spans and judgements.

A trace row: {id, name, source, session_id, user_id, tags, input, output, metadata, observations: [{id, parent_id,
seq, type, name, model, input, output, level, metadata}]}. A note or label: {id, trace_id, observation_id, name,
data_type, value, comment, annotator, annotator_kind, metadata, gold}.
"""

from datetime import timedelta

from evalapp.core import payload
from evalapp.scores.models import DataType, Source
from evalapp.traces.models import Level, ObservationType
from evalapp.traces.spans import Span

STEP = timedelta(seconds=2)


class BadRow(Exception):
    """The row cannot be imported; the text says why."""


def trace_id_of(short_id):
    """Return the 32-digit id of a 16-digit one: padded with zeros, as W3C Trace Context has it for 64-bit ids."""
    return short_id.lower().rjust(32, "0")


def spans_of(row, *, start, system_prompts):
    """Return the Spans of a trace row. It has no times: steps of two seconds from `start` on stand in for them."""
    observations = sorted(_observations(row), key=lambda observation: observation["seq"])
    trace_id = trace_id_of(_id(row))
    metadata = {**_object(row, "metadata"), "timestamps": "synthetic"}
    if row.get("source"):
        metadata["source"] = row["source"]
    ends = _ends(observations, start)
    prompt = system_prompts.get(metadata.get("system_prompt_ref"))
    spans = []
    for position, observation in enumerate(observations):
        span = _span(trace_id, observation, start + position * STEP, ends[observation["id"]])
        if prompt and span.type == ObservationType.GENERATION:
            # The corpus keeps the prompt aside; a reader looks for it before the first message.
            span.input, prompt = _with_system_prompt(observation.get("input"), prompt), None
        if position == 0:
            span.trace_name = row.get("name") or None
            span.user_id = row.get("user_id") or None
            span.session_id = row.get("session_id") or None
            span.tags = tuple(row.get("tags") or ())
            span.trace_metadata = metadata
        spans.append(span)
    return spans


def _observations(row):
    observations = row.get("observations")
    if not isinstance(observations, list) or not observations:
        raise BadRow("observations must be a list that isn't empty")
    seen = set()
    for observation in observations:
        if not isinstance(observation, dict):
            raise BadRow("an observation is not an object")
        if not isinstance(observation.get("seq"), int):
            raise BadRow(f"seq of observation {_id(observation)} is not a whole number")
        if observation["id"] in seen:
            raise BadRow(f"observation {observation['id']} is there twice")
        seen.add(observation["id"])
    return observations


def _ends(observations, start):
    """Return {observation id: end}: a step lasts as long as what it contains."""
    ends, parents = {}, {}
    for position, observation in enumerate(observations):
        ends[observation["id"]] = start + position * STEP + STEP
        parents[observation["id"]] = observation.get("parent_id")
    for observation in reversed(observations):
        parent = parents[observation["id"]]
        if parent in ends:
            ends[parent] = max(ends[parent], ends[observation["id"]])
    return ends


def _span(trace_id, observation, start, end):
    type = observation.get("type") or ObservationType.SPAN
    level = observation.get("level") or Level.DEFAULT
    if type not in ObservationType.values:
        raise BadRow(f"type of observation {observation['id']} is {type!r}")
    if level not in Level.values:
        raise BadRow(f"level of observation {observation['id']} is {level!r}")
    return Span(
        trace_id,
        _id(observation),
        start,
        end,
        observation.get("parent_id") or None,
        type,
        observation.get("name") or None,
        level,
        model=observation.get("model") or None,
        input=_text(observation.get("input")),
        output=_text(observation.get("output")),
        metadata=_object(observation, "metadata"),
    )


def _text(value):
    return value if value is None or isinstance(value, str) else payload.dump(value)


def _with_system_prompt(value, prompt):
    messages = value if isinstance(value, list) else [] if value is None else [{"role": "user", "content": value}]
    return payload.dump([{"role": "system", "content": prompt}, *messages])


def judgement_of(row):
    """Return the arguments of build_score for a note or label row; its id and what was judged stay the same."""
    trace_id = row.get("trace_id")
    if not isinstance(trace_id, str) or not trace_id:
        raise BadRow("trace_id is missing")
    data_type = row.get("data_type")
    if data_type not in DataType.values:
        raise BadRow(f"data_type is {data_type!r}")
    value = row.get("value")
    facts = {key: row[key] for key in ("annotator", "annotator_kind", "gold") if row.get(key)}
    return {
        "id": _id(row),
        "trace_id": trace_id_of(trace_id),
        "observation_id": row.get("observation_id") or "",
        "name": row.get("name") or "",
        "data_type": data_type,
        "value": float(value) if isinstance(value, bool) else value,
        "comment": row.get("comment") or "",
        "source": Source.ANNOTATION if row.get("annotator_kind") == "human" else Source.API,
        "metadata": {**_object(row, "metadata"), **facts},
    }


def _id(row):
    id = row.get("id")
    if not isinstance(id, str) or not 0 < len(id) <= 255:
        raise BadRow(f"id is {id!r}, not a text of 1 to 255 characters")
    return id


def _object(row, field):
    value = row.get(field)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadRow(f"{field} is not an object")
    return value

"""Observations in PostgreSQL's binary COPY format, written by hand: faster than psycopg's row by row."""

from datetime import UTC, datetime, timedelta
from struct import Struct

from evalapp.traces.clean import clean_text, json_bytes

COLUMNS = (
    "project_id",
    "trace_id",
    "id",
    "parent_id",
    "start_time",
    "end_time",
    "completion_start_time",
    "type",
    "name",
    "level",
    "status_message",
    "model",
    "input_tokens",
    "output_tokens",
    "total_tokens",
    "total_cost",
    "is_root",
    "environment",
    "version",
    "prompt_name",
    "prompt_version",
    "model_parameters",
    "usage",
    "cost",
    "input",
    "output",
    "metadata",
    "experiment_id",
    "experiment",
    "created_at",
)
HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NULL = b"\xff\xff\xff\xff"
_length = Struct("!i").pack
_int64 = Struct("!iq").pack
_int32 = Struct("!ii").pack
_double = Struct("!id").pack
_ROW = Struct("!h").pack(len(COLUMNS))
_TRUE, _FALSE = b"\0\0\0\1\1", b"\0\0\0\1\0"


def encode(batch, *, created_at):
    """Return the bytes that COPY … FROM STDIN (FORMAT binary) reads; `batch` holds (project_id, Span)."""
    created = _time(created_at)
    short = {None: _NULL}  # values that repeat: encoded once per batch
    parts = [HEADER]
    add = parts.append

    def known(text):
        field = short.get(text)
        if field is None:
            field = short[text] = _text(text)
        return field

    for project_id, span in batch:
        parent_id, metadata = span.parent_id, span.metadata
        add(_ROW)
        add(known(project_id))
        add(known(span.trace_id))
        add(_text(span.id))
        add(known(parent_id))
        add(_time(span.start_time))
        add(_time(span.end_time))
        add(_time(span.completion_start_time))
        add(known(span.type))
        add(known(span.name))
        add(known(span.level))
        add(_text(span.status_message))
        add(known(span.model))
        add(_bigint(span.input_tokens))
        add(_bigint(span.output_tokens))
        add(_bigint(span.total_tokens))
        add(_NULL if span.total_cost is None else _double(8, span.total_cost))
        add(_TRUE if span.as_root or parent_id is None else _FALSE)
        add(known(span.environment or "default"))
        add(known(span.version))
        add(known(span.prompt_name))
        add(_NULL if span.prompt_version is None else _int32(4, span.prompt_version))
        add(_json(span.model_parameters))
        add(_json(span.usage))
        add(_json(span.cost))
        add(_text(span.input))
        add(_text(span.output))
        add(_metadata(metadata, span.telemetry))
        add(known(span.experiment_id))
        add(_json(span.experiment))
        add(created)
    add(TRAILER)
    return b"".join(parts)


def _text(text):
    if text is None:
        return _NULL
    try:
        data = text.encode()
        if b"\0" in data:
            data = clean_text(text).encode()
    except UnicodeEncodeError:
        data = clean_text(text).encode()
    return _length(len(data)) + data


def _time(moment):
    return _NULL if moment is None else _int64(8, (moment - _EPOCH) // _MICROSECOND)


def _bigint(number):
    return _NULL if number is None else _int64(8, number)


def _json(value):
    if value is None:
        return _NULL
    data = json_bytes(value)
    return _length(len(data)) + data


def _metadata(metadata, telemetry):
    # The client's own keys come last: of a key that is there twice, JSON readers take the last.
    if not metadata:
        data = b"{" + telemetry + b"}"
    elif not telemetry:
        data = json_bytes(metadata)
    else:
        data = b"{" + telemetry + b"," + json_bytes(metadata)[1:]
    return _length(len(data)) + data

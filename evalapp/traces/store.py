"""The one writer of traces, observations and sessions.

One transaction, O(batch):
1. Traces that are new are inserted, the others locked, in the order of their ids: writers of one trace take
   turns, those of different traces do not meet, and none can deadlock.
2. Of the others it is known whether a span was stored before. A span sent again replaces the stored one, also
   when its start moved to another partition, which no unique index could see.
3. All spans are copied in; the others' rows are merged in Python (trace_merge.py) and updated.
"""

from datetime import UTC, datetime

import orjson
from django.db import OperationalError, connection, transaction
from psycopg.errors import DeadlockDetected, SerializationFailure

from evalapp.traces.binary_copy import COLUMNS, encode
from evalapp.traces.clean import jsonb_bytes
from evalapp.traces.partitions import partitions_between
from evalapp.traces.trace_merge import COUNTERS, TraceSummary, merge, summarise

_ATTEMPTS = 3

_TRACE_TYPES = {
    "project_id": "text",
    "id": "text",
    "timestamp": "timestamptz",
    "end_time": "timestamptz",
    "name": "text",
    "user_id": "text",
    "session_id": "text",
    "release": "text",
    "version": "text",
    "environment": "text",
    "public": "boolean",
    "tags": "text[]",
    "metadata": "jsonb",
    "input": "text",
    "output": "text",
    "input_preview": "text",
    "output_preview": "text",
    "root_observation_id": "text",
    "observation_count": "integer",
    "error_count": "integer",
    "input_tokens": "bigint",
    "output_tokens": "bigint",
    "total_tokens": "bigint",
    "total_cost": "double precision",
    "precedence": "jsonb",
}
_NAMES = ", ".join(_TRACE_TYPES)
_GIVEN = f"jsonb_to_recordset(%s::jsonb) AS given({', '.join(f'{n} {t}' for n, t in _TRACE_TYPES.items())})"
# WHERE false: a row that is there is locked and otherwise left alone.
_INSERT_OR_LOCK = f"""
    INSERT INTO traces_trace ({_NAMES}, bookmarked, created_at, updated_at)
    SELECT {_NAMES}, false, now(), now() FROM {_GIVEN}
    ON CONFLICT (project_id, id) DO UPDATE SET id = EXCLUDED.id WHERE false
    RETURNING project_id, id"""
_KEYS = "jsonb_to_recordset(%s::jsonb) AS key(project_id text, id text)"
_STORED = f"""
    SELECT {", ".join(f"trace.{name}" for name in _TRACE_TYPES)}
    FROM {_KEYS} JOIN traces_trace trace ON trace.project_id = key.project_id AND trace.id = key.id"""
_UPDATE = f"""
    UPDATE traces_trace trace SET
    {", ".join(f"{name} = given.{name}" for name in _TRACE_TYPES if name not in ("project_id", "id"))},
    updated_at = now()
    FROM {_GIVEN} WHERE trace.project_id = given.project_id AND trace.id = given.id"""
_SPAN_KEYS = "jsonb_to_recordset(%s::jsonb) AS key(project_id text, trace_id text, id text)"
# On the partition itself: with a condition on the time, which would find the partition too, PostgreSQL may prefer
# the index by time and read all that anybody sent in that period. So every look-up goes through the primary key.
_SENT_BEFORE = f"""
    DELETE FROM {{partition}} stored USING {_SPAN_KEYS}
    WHERE stored.project_id = key.project_id AND stored.trace_id = key.trace_id AND stored.id = key.id
    RETURNING stored.project_id, stored.trace_id, stored.id, stored.input, stored.output"""
_COUNTED = (
    "project_id, trace_id, level, input_tokens, output_tokens, total_tokens, total_cost, start_time, end_time"
)
_RECOUNT = f"""
    SELECT key.project_id, key.id, count(*), count(*) FILTER (WHERE level = 'ERROR'),
    coalesce(sum(input_tokens), 0)::bigint, coalesce(sum(output_tokens), 0)::bigint,
    coalesce(sum(total_tokens), 0)::bigint, sum(total_cost),
    min(start_time), max(greatest(start_time, coalesce(end_time, start_time)))
    FROM {_KEYS} JOIN ({{partitions}}) stored ON stored.project_id = key.project_id AND stored.trace_id = key.id
    GROUP BY key.project_id, key.id"""
_COPY = f"COPY traces_observation ({', '.join(COLUMNS)}) FROM STDIN (FORMAT binary)"
_SESSIONS = """
    INSERT INTO traces_session AS stored (project_id, id, first_seen, last_seen, environment, bookmarked)
    SELECT project_id, id, first_seen, last_seen, environment, false FROM jsonb_to_recordset(%s::jsonb)
    AS given(project_id text, id text, first_seen timestamptz, last_seen timestamptz, environment text)
    ON CONFLICT (project_id, id) DO UPDATE SET
    first_seen = least(stored.first_seen, EXCLUDED.first_seen),
    last_seen = greatest(stored.last_seen, EXCLUDED.last_seen)
    WHERE EXCLUDED.first_seen < stored.first_seen OR EXCLUDED.last_seen > stored.last_seen"""


def write(batches):
    """Store [(project_id, spans)] in one transaction, or nothing. Of a span that comes twice the last counts."""
    spans = _without_repetitions(batches)
    if not spans:
        return
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                return _write(cursor, spans)
        except OperationalError as error:
            # Who lost a deadlock (against a deletion, say) may simply try again, unless it is part of something.
            is_a_draw = isinstance(error.__cause__, DeadlockDetected | SerializationFailure)
            if not is_a_draw or attempt == _ATTEMPTS or connection.in_atomic_block:
                raise


def _without_repetitions(batches):
    """Return {(project_id, trace_id): {span id: span}}, sorted by trace."""
    traces = {}
    for project_id, spans in batches:
        for span in spans:
            siblings = traces.setdefault((project_id, span.trace_id), {})
            earlier = siblings.get(span.id)
            if earlier is not None:
                _keep_payload(span, earlier.input, earlier.output)
            # What speaks of the trace alone has no id and stands for itself.
            siblings[span.id or len(siblings)] = span
    return dict(sorted(traces.items()))


def _keep_payload(span, input, output):
    """A span sent again without its payload (an end without its start) keeps the one that was stored."""
    span.input = input if span.input is None else span.input
    span.output = output if span.output is None else span.output


def _write(cursor, traces):
    news = {key: summarise(*key, spans.values()) for key, spans in traces.items()}
    cursor.execute(_INSERT_OR_LOCK, [_rows(news.values())])
    fresh = set(cursor.fetchall())
    stored = _stored(cursor, [key for key in news if key not in fresh])
    resent = _remove_what_is_sent_again(cursor, stored, traces) if stored else set()

    _copy(cursor, traces)

    if stored:
        for key, trace in stored.items():
            merge(trace, news[key])
        if resent:
            _recount(cursor, {key: stored[key] for key in resent})
        cursor.execute(_UPDATE, [_rows(stored.values())])
    _touch_sessions(cursor, (stored.get(key, trace) for key, trace in news.items()))


def _stored(cursor, keys):
    if not keys:
        return {}
    cursor.execute(_STORED, [_keys(keys)])
    traces = {}
    for row in cursor.fetchall():
        trace = TraceSummary(*row)
        trace.metadata, trace.precedence = orjson.loads(trace.metadata), orjson.loads(trace.precedence)
        traces[trace.project_id, trace.id] = trace
    return traces


def _remove_what_is_sent_again(cursor, stored, traces):
    """Delete the stored spans that this batch replaces. Returns the keys of their traces."""
    keys = [
        {"project_id": project_id, "trace_id": trace_id, "id": span_id}
        for project_id, trace_id in stored
        for span_id, span in traces[project_id, trace_id].items()
        if span.id
    ]
    resent = set()
    for partition in partitions_between(cursor, *_period(stored.values())):
        cursor.execute(_SENT_BEFORE.format(partition=partition), [jsonb_bytes(keys).decode()])
        for project_id, trace_id, span_id, input, output in cursor.fetchall():
            _keep_payload(traces[project_id, trace_id][span_id], input, output)
            resent.add((project_id, trace_id))
    return resent


def _copy(cursor, traces):
    batch = [(project_id, span) for (project_id, _), spans in traces.items() for span in spans.values() if span.id]
    data = encode(batch, created_at=datetime.now(UTC))
    with connection.wrap_database_errors, cursor.copy(_COPY) as copy:
        copy.write(data)


def _recount(cursor, traces):
    """Count the observations of these traces anew: some of theirs were replaced."""
    names = partitions_between(cursor, *_period(traces.values()))
    partitions = " UNION ALL ".join(f"SELECT {_COUNTED} FROM {name}" for name in names)
    cursor.execute(_RECOUNT.format(partitions=partitions), [_keys(traces)])
    for project_id, trace_id, *counts, cost, start, end in cursor.fetchall():
        trace = traces[project_id, trace_id]
        for name, count in zip(COUNTERS, counts, strict=True):
            setattr(trace, name, count)
        trace.total_cost, trace.timestamp, trace.end_time = cost, start, end


def _touch_sessions(cursor, traces):
    sessions = {}
    for trace in traces:
        if trace.session_id is not None:
            key = (trace.project_id, trace.session_id)
            end = trace.end_time or trace.timestamp
            first, last, environment = sessions.get(key, (trace.timestamp, end, trace.environment))
            sessions[key] = (min(first, trace.timestamp), max(last, end), environment)
    if sessions:
        rows = [
            {
                "project_id": project_id,
                "id": session_id,
                "first_seen": first,
                "last_seen": last,
                "environment": environment or "default",
            }
            for (project_id, session_id), (first, last, environment) in sorted(sessions.items())
        ]
        cursor.execute(_SESSIONS, [jsonb_bytes(rows).decode()])


def _period(traces):
    """Return the first start and the last end of stored traces: all their observations start in between."""
    traces = list(traces)
    return min(trace.timestamp for trace in traces), max(trace.end_time or trace.timestamp for trace in traces)


def _keys(keys):
    return orjson.dumps([{"project_id": project_id, "id": trace_id} for project_id, trace_id in keys]).decode()


def _rows(traces):
    rows = []
    for trace in traces:
        row = {name: getattr(trace, name) for name in _TRACE_TYPES}
        row["environment"] = trace.environment or "default"
        rows.append(row)
    return jsonb_bytes(rows).decode()

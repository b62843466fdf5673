"""What spans say about their trace, and how that is merged into what was known: in any order, any number of times.

Every field of a trace goes to the strongest span that speaks of it. Strength is a number: an explicit trace
attribute beats what is derived, a root beats other spans, then the last to end wins (as if spans were applied in
the order in which they ended); of equals the greater value. It is kept in `precedence`, so that merging is
associative, commutative and idempotent. Counters are plain sums: store.py knows which spans are new.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from evalapp.traces.clean import clean_text, json_bytes
from evalapp.traces.preview import preview_of

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LAST = (1 << 52) - 1  # microseconds; the year 2112
_ROOT = 1 << 53
_EXPLICIT = 1 << 54
_RANK = 1 << 55
# A btree or GIN entry may hold 2,704 bytes; ids and tags are not stories.
LONGEST_INDEXED = 255

TEXTS = ("name", "user_id", "session_id", "release", "version", "environment", "input", "output")
COUNTERS = ("observation_count", "error_count", "input_tokens", "output_tokens", "total_tokens")


@dataclass(slots=True)
class TraceSummary:
    """The columns of a trace that spans decide."""

    project_id: str
    id: str
    timestamp: datetime
    end_time: datetime | None  # of its observations; None without any
    name: str | None = None
    user_id: str | None = None
    session_id: str | None = None
    release: str | None = None
    version: str | None = None
    environment: str | None = None
    public: bool = False
    tags: list = field(default_factory=list)
    metadata: dict = field(default_factory=dict)
    input: str | None = None
    output: str | None = None
    input_preview: str | None = None
    output_preview: str | None = None
    root_observation_id: str | None = None
    observation_count: int = 0
    error_count: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    total_tokens: int = 0
    total_cost: float | None = None
    precedence: dict = field(default_factory=dict)


def summarise(project_id, trace_id, spans):
    """Return the TraceSummary of a trace's spans (at least one, no id twice)."""
    start = min(span.start_time for span in spans)
    end = max((max(span.start_time, span.end_time or span.start_time) for span in spans if span.id), default=None)
    trace = TraceSummary(project_id, trace_id, start, end)
    tags = set()
    # Roots first: then other spans need no preview.
    for span in sorted(spans, key=lambda span: not span.is_root):
        _add(trace, span)
        tags.update(span.tags)
    trace.tags = sorted({clean_text(tag)[:LONGEST_INDEXED] for tag in tags})
    return trace


def _add(trace, span):
    is_root = span.parent_id is None or span.as_root
    started = _microseconds(span.start_time)
    ended = _microseconds(span.end_time or span.start_time)
    strength = ended + _ROOT if is_root else ended

    if span.trace_name is not None:
        _offer(trace, "name", span.trace_name, strength + _EXPLICIT)
    elif is_root and span.name is not None:
        _offer(trace, "name", span.name, strength)
    if span.user_id is not None:
        _offer(trace, "user_id", span.user_id[:LONGEST_INDEXED], strength)
    if span.session_id is not None:
        _offer(trace, "session_id", span.session_id[:LONGEST_INDEXED], strength)
    if span.release is not None:
        _offer(trace, "release", span.release, strength)
    if span.version is not None:
        _offer(trace, "version", span.version, strength)
    if span.environment is not None:
        _offer(trace, "environment", span.environment, strength)
    if span.trace_input is not None:
        _offer(trace, "input", span.trace_input, strength)
        _offer_preview(trace, "input_preview", span.trace_input, 3 * _RANK + strength)
    if span.trace_output is not None:
        _offer(trace, "output", span.trace_output, strength)
        _offer_preview(trace, "output_preview", span.trace_output, 3 * _RANK + strength)
    if span.public:
        trace.public = True

    # Of several roots the first to start stands for the trace, one without any parent before all.
    primacy = _LAST - started + (_ROOT if span.parent_id is None else 0)
    if is_root and span.id:
        _offer(trace, "root_observation_id", span.id, primacy)
        if span.metadata:
            _offer_metadata(trace, span.metadata, strength)
    if span.input is not None:
        _offer_preview(trace, "input_preview", span.input, primacy + (2 if is_root else 1) * _RANK)
    if span.output is not None:
        _offer_preview(trace, "output_preview", span.output, primacy + 2 * _RANK if is_root else ended + _RANK)
    if span.trace_metadata:
        _offer_metadata(trace, span.trace_metadata, strength + _EXPLICIT)

    if not span.id:
        return
    trace.observation_count += 1
    trace.error_count += span.level == "ERROR"
    trace.input_tokens += span.input_tokens or 0
    trace.output_tokens += span.output_tokens or 0
    trace.total_tokens += span.total_tokens or 0
    if span.total_cost is not None:
        trace.total_cost = (trace.total_cost or 0) + span.total_cost


def _microseconds(moment):
    return min(max((moment - _EPOCH) // _MICROSECOND, 0), _LAST)


def _offer(trace, name, value, strength):
    stored = trace.precedence.get(name, -1)
    if strength < stored:
        return
    value = clean_text(value)
    if strength == stored and value <= (getattr(trace, name) or ""):
        return
    setattr(trace, name, value)
    trace.precedence[name] = strength


def _offer_preview(trace, name, text, strength):
    if strength >= trace.precedence.get(name, -1):
        _offer(trace, name, preview_of(text), strength)


def _offer_metadata(trace, metadata, strength):
    known = trace.precedence.setdefault("metadata", {})
    for key, value in metadata.items():
        key = clean_text(key)
        stored = known.get(key, -1)
        if strength < stored or (strength == stored and json_bytes(value) <= json_bytes(trace.metadata[key])):
            continue
        trace.metadata[key] = value
        known[key] = strength


def merge(stored, new):
    """Put what `new` says into `stored`, and add its counters. Returns `stored`."""
    stored.timestamp = min(stored.timestamp, new.timestamp)
    stored.end_time = max(filter(None, (stored.end_time, new.end_time)), default=None)
    for name in (*TEXTS, "input_preview", "output_preview", "root_observation_id"):
        if name in new.precedence:
            _offer(stored, name, getattr(new, name), new.precedence[name])
    for key, strength in new.precedence.get("metadata", {}).items():
        _offer_metadata(stored, {key: new.metadata[key]}, strength)
    stored.public = stored.public or new.public
    stored.tags = sorted({*stored.tags, *new.tags})
    for counter in COUNTERS:
        setattr(stored, counter, getattr(stored, counter) + getattr(new, counter))
    if new.total_cost is not None:
        stored.total_cost = (stored.total_cost or 0) + new.total_cost
    return stored

"""Everything that a page needs to show one trace; templates/traces/_trace.html shows it.

A page and its fragments are the same question with other parameters, so any view that answers `?view=`,
`?observation=`, `?from=` and `?part=` with this reading and that template has the whole reader:

    reading = read_trace(request.project, trace_id, params=request.GET)
    render(request, "traces/_trace.html", {"reading": reading, "base_url": …})
"""

from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import cached_property
from urllib.parse import quote

from django.db.models import F, Func, IntegerField
from django.db.models.functions import Left

from evalapp.traces import render
from evalapp.traces.chat import parse
from evalapp.traces.conversation import read_conversation, read_messages_alone
from evalapp.traces.models import Trace
from evalapp.traces.tree import walk

VIEWS = ("conversation", "tree", "raw")
PARTS = ("all", "more", "observation")
ENTRIES = 80  # elements of a conversation per window
ROWS = 200  # rows of a tree per window
FIELD_LIMIT = 1_000_000  # characters of one payload read for a page
BUDGET = 24_000_000  # bytes of payloads read for a page; beyond, each is cut shorter
RAW_LIMIT = 200_000
_PAYLOADS = ("input", "output", "metadata")


@dataclass(slots=True)
class Row:
    """An observation as it is read here: a tenth of what a model instance costs, and there may be thousands."""

    id: str
    parent_id: str | None
    type: str
    name: str | None
    start_time: datetime
    end_time: datetime | None
    level: str
    status_message: str | None
    model: str | None
    model_parameters: str | None
    usage: str | None
    cost: str | None
    version: str | None
    prompt_name: str | None
    prompt_version: int | None
    input_tokens: int | None
    output_tokens: int | None
    total_tokens: int | None
    total_cost: float | None
    input_bytes: int | None
    output_bytes: int | None
    metadata_bytes: int | None
    input: str | None = None
    output: str | None = None
    metadata: str | None = None

    @property
    def milliseconds(self):
        """How long it took, or None while it has not ended."""
        return (self.end_time - self.start_time).total_seconds() * 1000 if self.end_time else None


# Short by nature; a client that puts megabytes there does not get them onto the page.
_TEXT_LIMITS = {"name": 500, "status_message": 4_000, "model_parameters": 20_000, "usage": 20_000}
_COLUMNS = [column.name for column in fields(Row) if column.name not in _PAYLOADS and "_bytes" not in column.name]


@dataclass
class Panel:
    """One observation with everything that was recorded."""

    node: object

    @property
    def observation(self):
        return self.node.observation

    @cached_property
    def input_entries(self):
        return read_messages_alone(self.node.input)

    @cached_property
    def input_blocks(self):
        return render.blocks(self.node.input)

    @cached_property
    def output_entries(self):
        role = "assistant" if self.observation.type == "GENERATION" else None
        return read_messages_alone(self.node.output, role=role)

    @cached_property
    def output_blocks(self):
        return render.blocks(self.node.output)

    @cached_property
    def metadata_blocks(self):
        return _object_blocks(self.observation.metadata)

    @cached_property
    def parameters(self):
        value = parse(self.observation.model_parameters)
        return {key: render.preview(inner, 80) for key, inner in value.items()} if isinstance(value, dict) else {}

    @cached_property
    def usage(self):
        value = parse(self.observation.usage)
        return value if isinstance(value, dict) else {}

    @property
    def input_is_cut(self):
        return (self.observation.input_bytes or 0) > FIELD_LIMIT

    @property
    def output_is_cut(self):
        return (self.observation.output_bytes or 0) > FIELD_LIMIT


@dataclass
class Reading:
    """A trace as one of its views shows it."""

    trace: Trace
    view: str
    part: str
    nodes: list
    start: int = 0
    selected_id: str = ""
    entries: list = field(default_factory=list)
    total: int = 0
    size: int = ENTRIES
    panel: Panel | None = None
    raw: str = ""
    raw_is_cut: bool = False

    @property
    def earlier(self):
        """Where the window before this one starts, or None."""
        return max(self.start - self.size, 0) if self.start else None

    @property
    def later(self):
        """Where the next window starts, or None."""
        return self.start + self.size if self.start + self.size < self.total else None

    @property
    def rows(self):
        """The tree's rows in this window."""
        return self.nodes[self.start : self.start + self.size]

    @property
    def selected_query(self):
        """The part of a URL that keeps the selected observation."""
        return f"&observation={quote(self.selected_id, safe='')}" if self.selected_id else ""

    @property
    def remaining(self):
        return self.total - self.start - self.size

    @cached_property
    def metadata_block(self):
        return render.json_block(self.trace.metadata, open_depth=2) if self.trace.metadata else None

    @property
    def has_chat(self):
        """Whether anybody speaks; steps alone are shown open."""
        return any(entry.kind == "message" and entry.role in ("user", "assistant") for entry in self.entries)

    @cached_property
    def observation_ids(self):
        return {node.observation.id for node in self.nodes}


def read_trace(project, trace_id, *, observation_id=None, params=None):
    """Return the Reading that `params` (request.GET) ask for; Trace.DoesNotExist when there is no such trace.

    Two or three queries, whatever the number of observations.
    """
    params = params or {}
    trace = project.traces.get(id=trace_id) if "\0" not in trace_id else _missing()
    reading = Reading(
        trace,
        view=_choice(params.get("view"), VIEWS),
        part=_choice(params.get("part"), PARTS),
        nodes=walk(_skeleton(project, trace)),
        start=_whole_number(params.get("from")),
        selected_id=observation_id or params.get("observation") or "",
    )
    if reading.part == "observation":
        _open_panel(reading, project)
    elif reading.view == "tree":
        _open_tree(reading, project, explicit="from" in params)
    elif reading.view == "raw":
        _open_raw(reading, project)
    else:
        _open_conversation(reading, project, explicit="from" in params)
    return reading


def read_payload(project, trace, observation_id, name):
    """Return one payload of an observation in full, as text; None when there is none."""
    if name not in _PAYLOADS:
        return None
    return project.observations.of_trace(trace).filter(id=observation_id).values_list(name, flat=True).first()


def trace_document(project, trace, *, limit=None):
    """Return the whole trace as one plain value, for the raw view and the download."""
    observations = _skeleton(project, trace)
    _fill(project, trace, observations, limit)
    return {
        "trace": {
            name: _plain(getattr(trace, name))
            for name in (
                *("id", "name", "timestamp", "end_time", "user_id", "session_id", "release", "version"),
                *("environment", "tags", "metadata", "input", "output", "input_tokens", "output_tokens"),
                *("total_tokens", "total_cost"),
            )
        },
        "observations": [
            {
                name: _plain(getattr(observation, name))
                for name in (
                    *("id", "parent_id", "type", "name", "start_time", "end_time", "level", "status_message"),
                    *("model", "model_parameters", "input", "output", "metadata", "usage", "cost"),
                    *("version", "prompt_name", "prompt_version"),
                )
                if getattr(observation, name) not in (None, "")
            }
            for observation in observations
        ],
    }


def _missing():
    raise Trace.DoesNotExist


def _choice(value, choices):
    return value if value in choices else choices[0]


def _whole_number(value):
    return int(value) if value and value.isascii() and value.isdigit() and len(value) < 8 else 0


# Queries


def _skeleton(project, trace):
    """All observations without their payloads, whose sizes PostgreSQL knows without reading them."""
    sizes = {
        f"{name}_bytes": Func(F(name), function="octet_length", output_field=IntegerField()) for name in _PAYLOADS
    }
    heads = {f"{name}_head": Left(name, limit) for name, limit in _TEXT_LIMITS.items()}
    columns = [f"{name}_head" if name in _TEXT_LIMITS else name for name in _COLUMNS]
    rows = project.observations.of_trace(trace).annotate(**sizes, **heads).values_list(*columns, *sizes)
    return [Row(*row) for row in rows.iterator(chunk_size=10_000)]


def _fill(project, trace, observations, limit=None):
    """Read the payloads of these observations, each cut to `limit` characters or to its share of the budget."""
    if not observations:
        return
    limit = limit or _fair_limit(observations)
    rows = project.observations.of_trace(trace)
    if len(observations) == 1:
        rows = rows.filter(id=observations[0].id)
    cut = {f"{name}_head": Left(name, limit) for name in _PAYLOADS}
    found = {row[0]: row[1:] for row in rows.annotate(**cut).values_list("id", *cut)}
    for observation in observations:
        for name, value in zip(_PAYLOADS, found.get(observation.id, (None, None, None)), strict=True):
            setattr(observation, name, value)


def _fair_limit(observations):
    """The most characters of one payload such that all fit into the budget: only the largest are cut."""
    payloads = ((row.input_bytes, row.output_bytes, row.metadata_bytes) for row in observations)
    sizes = sorted(size or 0 for three in payloads for size in three)
    left = BUDGET
    for index, size in enumerate(sizes):
        share = left // (len(sizes) - index)
        if size > share:
            return max(min(share, FIELD_LIMIT), 1_000)
        left -= size
    return FIELD_LIMIT


# Views


def _open_conversation(reading, project, explicit):
    trace = reading.trace
    _fill(project, trace, [node.observation for node in reading.nodes])
    entries = read_conversation(reading.nodes, trace_input=trace.input, trace_output=trace.output)
    reading.total = len(entries)
    if reading.selected_id and not explicit:
        at = next((at for at, entry in enumerate(entries) if reading.selected_id in entry.ids), 0)
        reading.start = at // ENTRIES * ENTRIES
    reading.entries = entries[reading.start : reading.start + ENTRIES]


def _open_tree(reading, project, explicit):
    reading.total, reading.size = len(reading.nodes), ROWS
    if reading.selected_id and not explicit:
        at = next((node.position for node in reading.nodes if node.observation.id == reading.selected_id), 0)
        reading.start = at // ROWS * ROWS
    if reading.part == "all":
        _open_panel(reading, project)


def _open_panel(reading, project):
    nodes = reading.nodes
    node = next(
        (node for node in nodes if node.observation.id == reading.selected_id), nodes[0] if nodes else None
    )
    if node is None:
        return
    reading.selected_id = node.observation.id
    _fill(project, reading.trace, [node.observation], FIELD_LIMIT)
    reading.panel = Panel(node)


def _open_raw(reading, project):
    share = max(2_000_000 // max(len(reading.nodes), 1), 1_000)
    text = render.pretty(trace_document(project, reading.trace, limit=share))
    reading.raw, reading.raw_is_cut = render.clean(text[:RAW_LIMIT]), len(text) > RAW_LIMIT


def _object_blocks(text):
    value = parse(text)
    if value in (None, "", {}, []):
        return []
    return [render.json_block(value)] if isinstance(value, dict | list) else render.blocks(value)


def _plain(value):
    return parse(value) if isinstance(value, str) else value

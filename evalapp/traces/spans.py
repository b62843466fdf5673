"""One span as every door hands it to store.py: an observation, and what it says about its trace."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(slots=True)
class Span:
    """The columns of an observation, then what the span says about its trace. Without an id it is no observation
    and speaks of its trace alone, at `start_time`. Nothing here is stored as it is:

    store.py replaces NUL and lone surrogates, cuts what an index could not hold and clamps absurd numbers.
    `input`, `output` and `trace_input`, `trace_output` are text (JSON as text); dicts are plain JSON values.
    """

    trace_id: str
    id: str
    start_time: datetime
    end_time: datetime | None = None
    parent_id: str | None = None
    type: str = "SPAN"
    name: str | None = None
    level: str = "DEFAULT"
    status_message: str | None = None
    completion_start_time: datetime | None = None
    model: str | None = None
    model_parameters: dict | None = None
    usage: dict | None = None
    cost: dict | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    total_tokens: int | None = None
    total_cost: float | None = None
    prompt_name: str | None = None
    prompt_version: int | None = None
    experiment_id: str | None = None
    # What langfuse.experiment.* says, on the span that stands for an item of the experiment.
    experiment: dict | None = None
    input: str | None = None
    output: str | None = None
    # The client's own metadata. A root's goes to the trace as well.
    metadata: dict = field(default_factory=dict)
    # Where the span came from (resource, scope, other attributes): members of a JSON object, without braces.
    # Already encoded, because it is the same for all spans of an export.
    telemetry: bytes = b""

    environment: str | None = None
    version: str | None = None
    release: str | None = None
    # A root although it names a parent: SDKs invent parents that they never send (sdk: as_root, is_app_root).
    as_root: bool = False
    trace_name: str | None = None
    user_id: str | None = None
    session_id: str | None = None
    tags: tuple = ()
    trace_metadata: dict | None = None
    trace_input: str | None = None
    trace_output: str | None = None
    public: bool = False

    @property
    def is_root(self):
        """Whether this span stands for its whole trace."""
        return self.as_root or self.parent_id is None

"""Which span attribute means what: Langfuse, OpenInference, gen_ai (old and new), OpenLLMetry and others.

Which attributes feed which field depends on their keys alone, and spans of one instrumentation share their keys.
So the choice is made once per set of keys (`plan_for`), and a span costs a few dictionary look-ups.
"""

from typing import NamedTuple

# Field → attribute keys, the first that is there wins. A key with a final dot stands for all keys below it.
SOURCES = {
    "name": ("gen_ai.tool.name", "genkit:name", "logfire.msg", "ai.toolCall.name"),
    "input": (
        "langfuse.observation.input",
        "gcp.vertex.agent.llm_request",
        "gcp.vertex.agent.tool_call_args",
        "prompt",
        "lk.input_text",
        "lk.user_input",
        "lk.chat_ctx",
        "lk.function_tool.arguments",
        "mlflow.spanInputs",
        "traceloop.entity.input",
        "input.value",
        "input",
        "tool_arguments",
        "gen_ai.prompt",
        "gen_ai.prompt.",
        "llm.input_messages.",
        "gen_ai.input.messages",
        "gen_ai.tool.call.arguments",
        "ai.prompt.messages",
        "ai.prompt",
        "ai.toolCall.args",
    ),
    "output": (
        "langfuse.observation.output",
        "gcp.vertex.agent.llm_response",
        "gcp.vertex.agent.tool_response",
        "all_messages_events",
        "lk.response.text",
        "lk.function_tool.output",
        "mlflow.spanOutputs",
        "traceloop.entity.output",
        "output.value",
        "output",
        "final_result",
        "tool_response",
        "gen_ai.completion",
        "gen_ai.completion.",
        "llm.output_messages.",
        "gen_ai.output.messages",
        "gen_ai.tool.call.result",
        "ai.response.text",
        "ai.result.text",
        "ai.response.toolCalls",
        "ai.response.object",
        "ai.toolCall.result",
    ),
    "level": ("langfuse.observation.level",),
    "status_message": ("langfuse.observation.status_message",),
    "version": ("langfuse.version",),
    "release": ("langfuse.release",),
    "environment": ("langfuse.environment", "deployment.environment.name", "deployment.environment"),
    "model": (
        "langfuse.observation.model.name",
        "gen_ai.response.model",
        "ai.model.id",
        "gen_ai.request.model",
        "llm.response.model",
        "llm.model_name",
        "model",
    ),
    "model_parameters": (
        "langfuse.observation.model.parameters",
        "llm.invocation_parameters",
        "model_config",
        "gen_ai.request.",
        "llm.invocation_parameters.",
    ),
    "usage": (
        "langfuse.observation.usage_details",
        "gen_ai.usage.",
        "llm.token_count.",
        "ai.usage.",
        "llm.usage.",
    ),
    "cost": (
        "langfuse.observation.cost_details",
        "gen_ai.usage.cost",
        "llm.cost.",
    ),
    "completion_start": ("langfuse.observation.completion_start_time",),
    "first_chunk": ("ai.response.msToFirstChunk",),
    "prompt_name": ("langfuse.observation.prompt.name", "langfuse.prompt.name"),
    "prompt_version": ("langfuse.observation.prompt.version", "langfuse.prompt.version"),
    "user_id": (
        "langfuse.user.id",
        "user.id",
        "ai.telemetry.metadata.userId",
        "traceloop.association.properties.user_id",
    ),
    "session_id": (
        "langfuse.session.id",
        "session.id",
        "gen_ai.conversation.id",
        "ai.telemetry.metadata.sessionId",
        "traceloop.association.properties.session_id",
    ),
    "tags": (
        "langfuse.trace.tags",
        "langfuse.tags",
        "ai.telemetry.metadata.tags",
        "tag.tags",
    ),
    "trace_name": ("langfuse.trace.name",),
    "public": ("langfuse.trace.public", "langfuse.public"),
    "trace_input": ("langfuse.trace.input",),
    "trace_output": ("langfuse.trace.output",),
    "as_root": ("langfuse.internal.as_root", "langfuse.internal.is_app_root"),
    "system_instructions": ("gen_ai.system_instructions",),
    "event_messages": ("events",),
    "experiment": ("langfuse.experiment.",),
}
# All that are there count, the first wins where two set the same key.
METADATA = (
    "langfuse.observation.metadata",
    "langfuse.observation.metadata.",
    "langfuse.metadata",
    "langfuse.metadata.",
    "ai.telemetry.metadata.",
    "traceloop.association.properties.",
    "metadata",
)
TRACE_METADATA = ("langfuse.trace.metadata", "langfuse.trace.metadata.")

# Attributes whose value decides the type, in order: (key, values → type).
_GEN_AI_OPERATIONS = {
    "chat": "GENERATION",
    "completion": "GENERATION",
    "text_completion": "GENERATION",
    "generate_content": "GENERATION",
    "generate": "GENERATION",
    "embeddings": "EMBEDDING",
    "invoke_agent": "AGENT",
    "create_agent": "AGENT",
    "execute_tool": "TOOL",
}
_LANGFUSE_TYPES = {
    name.lower(): name
    for name in (
        "SPAN",
        "GENERATION",
        "EVENT",
        "EMBEDDING",
        "AGENT",
        "TOOL",
        "CHAIN",
        "RETRIEVER",
        "GUARDRAIL",
        "EVALUATOR",
    )
}
_OPENINFERENCE_KINDS = {
    "llm": "GENERATION",
    **{
        name: name.upper()
        for name in ("chain", "retriever", "embedding", "agent", "tool", "guardrail", "evaluator")
    },
    "reranker": "RETRIEVER",
}
_VERCEL_OPERATIONS = {
    "ai.generatetext.dogenerate": "GENERATION",
    "ai.streamtext.dostream": "GENERATION",
    "ai.generateobject.dogenerate": "GENERATION",
    "ai.streamobject.dostream": "GENERATION",
    "ai.embed.doembed": "EMBEDDING",
    "ai.embedmany.doembed": "EMBEDDING",
    "ai.toolcall": "TOOL",
}
TYPES = (
    ("langfuse.observation.type", _LANGFUSE_TYPES),
    ("openinference.span.kind", _OPENINFERENCE_KINDS),
    ("gen_ai.operation.name", _GEN_AI_OPERATIONS),
    ("ai.operationId", _VERCEL_OPERATIONS),
    ("operation.name", _VERCEL_OPERATIONS),
    ("traceloop.span.kind", {"workflow": "CHAIN", "task": "CHAIN", "agent": "AGENT", "tool": "TOOL"}),
    ("llm.request.type", {"chat": "GENERATION", "completion": "GENERATION", "embedding": "EMBEDDING"}),
)
_TOOL_KEYS = ("gen_ai.tool.name", "gen_ai.tool.call.id")

LEVELS = {
    "debug": "DEBUG",
    "trace": "DEBUG",
    "verbose": "DEBUG",
    "default": "DEFAULT",
    "info": "DEFAULT",
    "log": "DEFAULT",
    "notice": "DEFAULT",
    "ok": "DEFAULT",
    "success": "DEFAULT",
    "warning": "WARNING",
    "warn": "WARNING",
    "error": "ERROR",
    "fatal": "ERROR",
    "critical": "ERROR",
}

# Read and said elsewhere, so not worth a place among the other attributes.
_NOISE = {"input.mime_type", "output.mime_type", "langfuse.observation.type", "openinference.span.kind"}
_PAYLOADS = {"input", "output"}
_LANGFUSE_PAYLOADS = {"langfuse.observation.input", "langfuse.observation.output"}


class Plan(NamedTuple):
    """What to read from spans that carry a certain set of attribute keys."""

    fields: tuple  # of (field, keys that are there, in order of precedence)
    types: tuple  # of (key, values → type)
    default_type: str
    says_langfuse: bool  # whether input or output are in Langfuse's attributes, which rule out all others
    metadata: tuple  # of (key, name in the metadata or None for an object that is merged)
    trace_metadata: tuple
    others: tuple  # keys without a meaning here: kept as attributes


_plans = {}
_MOST_PLANS = 4096
_PREFIXES = sorted(
    {key for keys in (*SOURCES.values(), METADATA, TRACE_METADATA) for key in keys if key.endswith(".")},
    key=len,
    reverse=True,
)


def plan_for(attributes):
    """Return the Plan for spans that have these keys, in this order."""
    keys = tuple(attributes)
    plan = _plans.get(keys)
    if plan is None:
        plan = _make_plan(keys)
        # Keys with numbers in them (messages.17.content) make many plans; forgetting all is cheap and rare.
        if len(_plans) >= _MOST_PLANS:
            _plans.clear()
        if len(keys) <= 300:
            _plans[keys] = plan
    return plan


def _make_plan(keys):
    groups = {}
    for key in keys:
        for prefix in _PREFIXES:
            if key.startswith(prefix):
                groups.setdefault(prefix, []).append(key)
                break
    there = set(keys) | set(groups)

    fields, used = [], set(_NOISE)
    says_langfuse = not there.isdisjoint(_LANGFUSE_PAYLOADS)
    for field, sources in SOURCES.items():
        found = tuple(source for source in sources if source in there)
        if says_langfuse and field in _PAYLOADS:
            # A Langfuse SDK that sets one of the two means the other to be empty.
            found = tuple(source for source in found if source in _LANGFUSE_PAYLOADS)
        if found:
            fields.append((field, tuple((source, tuple(groups.get(source, ()))) for source in found)))
            # Of texts and messages the same is often said twice; that is not kept twice.
            for source in found if field in _PAYLOADS else found[:1]:
                used.add(source)
                used.update(key for key in groups.get(source, ()) if key != "gen_ai.request.model")

    metadata = tuple(_metadata(METADATA, groups, there))
    trace_metadata = tuple(_metadata(TRACE_METADATA, groups, there))
    used.update(key for key, _ in metadata + trace_metadata)
    if any(key in there for key in _TOOL_KEYS):
        default_type = "TOOL"
    else:
        default_type = "GENERATION" if any(key in there for key in SOURCES["model"]) else "SPAN"
    return Plan(
        tuple(fields),
        tuple((key, values) for key, values in TYPES if key in there),
        default_type,
        says_langfuse,
        metadata,
        trace_metadata,
        tuple(key for key in keys if key not in used),
    )


def _metadata(sources, groups, there):
    # Reversed, so that the first source is written last and wins.
    for source in reversed(sources):
        if source.endswith("."):
            for key in groups.get(source, ()):
                yield key, key[len(source) :]
        elif source in there:
            yield source, None

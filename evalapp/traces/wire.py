"""Traces, observations and sessions in the shapes that the SDKs read, both generations."""

from evalapp.core import payload
from evalapp.core.api import iso

TRACE_GROUPS = ("core", "io", "scores", "observations", "metrics")
OBSERVATION_GROUPS = (
    "core", "basic", "time", "io", "metadata", "model", "usage", "prompt", "metrics", "trace_context"
)  # fmt: skip
_CUT = 200  # characters of a metadata value in a list, unless its key is asked for


def trace_json(trace, *, groups, root=None, observations=(), scores=()):
    """Return a trace of generation 1. `root` is the observation whose input and output stand for the trace's.

    What a group leaves out has the value that says so: -1 for metrics, empty lists.
    """
    with_io, with_metrics = "io" in groups, "metrics" in groups
    return {
        "id": trace.id,
        "projectId": trace.project_id,
        "timestamp": iso(trace.timestamp),
        "name": trace.name,
        "userId": trace.user_id,
        "sessionId": trace.session_id,
        "release": trace.release,
        "version": trace.version,
        "environment": trace.environment,
        "public": trace.public,
        "bookmarked": trace.bookmarked,
        "tags": trace.tags,
        "metadata": trace.metadata if with_io else None,
        "input": _trace_value(trace.input, root and root.input) if with_io else None,
        "output": _trace_value(trace.output, root and root.output) if with_io else None,
        "createdAt": iso(trace.created_at),
        "updatedAt": iso(trace.updated_at),
        "htmlPath": f"/project/{trace.project_id}/traces/{trace.id}",
        "latency": (trace.latency or 0) if with_metrics else -1,
        "totalCost": (trace.total_cost or 0) if with_metrics else -1,
        "observations": list(observations),
        "scores": list(scores),
    }


def observation_json(observation):
    """Return an observation of generation 1 (ObservationsView): values parsed, prices as numbers."""
    usage, cost = _object(observation.usage), _object(observation.cost)
    return {
        "id": observation.id,
        "traceId": observation.trace_id,
        "projectId": observation.project_id,
        "type": observation.type,
        "name": observation.name,
        "startTime": iso(observation.start_time),
        "endTime": iso(observation.end_time),
        "completionStartTime": iso(observation.completion_start_time),
        "model": observation.model,
        "modelParameters": _object(observation.model_parameters),
        "input": _value(observation.input),
        "output": _value(observation.output),
        "version": observation.version,
        "metadata": _object(observation.metadata),
        "level": observation.level,
        "statusMessage": observation.status_message,
        "parentObservationId": observation.parent_id,
        "promptId": None,
        "promptName": observation.prompt_name,
        "promptVersion": observation.prompt_version,
        "usage": _usage_view(observation),
        "usageDetails": usage,
        "costDetails": cost,
        "environment": observation.environment,
        "modelId": None,
        **_prices(usage, cost, number=True),
        "calculatedInputCost": _sum(cost, "input"),
        "calculatedOutputCost": _sum(cost, "output"),
        "calculatedTotalCost": observation.total_cost,
        "latency": observation.latency,
        "timeToFirstToken": _time_to_first_token(observation),
    }


def observation_v2_json(observation, *, groups, trace=None, expand=()):
    """Return an observation of generation 2: only the asked groups, input and output as raw text.

    `trace` is its Trace, which carries user, session and tags; `expand` names metadata keys to give in full.
    """
    data = {
        "id": observation.id,
        "traceId": observation.trace_id,
        "startTime": iso(observation.start_time),
        "endTime": iso(observation.end_time),
        "projectId": observation.project_id,
        "parentObservationId": observation.parent_id,
        "type": observation.type,
    }
    for group in groups:
        if group in _V2_GROUPS:
            data |= _V2_GROUPS[group](observation, trace)
    if "metadata" in groups:
        data["metadata"] = {
            key: value if key in expand else _cut(value) for key, value in _object(observation.metadata).items()
        }
    return data


def _basic(observation, trace):
    return {
        "name": observation.name,
        "level": observation.level,
        "statusMessage": observation.status_message,
        "version": observation.version,
        "environment": observation.environment,
        "bookmarked": bool(trace and trace.bookmarked),
        "public": bool(trace and trace.public),
        "userId": trace and trace.user_id,
        "sessionId": trace and trace.session_id,
        "isRootObservation": observation.is_root,
    }


def _time(observation, trace):
    return {
        "completionStartTime": iso(observation.completion_start_time),
        "createdAt": iso(observation.created_at),
        "updatedAt": iso(observation.created_at),
    }


def _io(observation, trace):
    return {"input": observation.input, "output": observation.output}


def _model(observation, trace):
    usage, cost = _object(observation.usage), _object(observation.cost)
    return {
        "providedModelName": observation.model,
        "model": observation.model,
        "internalModelId": None,
        "modelId": None,
        "modelParameters": _object(observation.model_parameters),
        **_prices(usage, cost, number=False),
    }


def _usage(observation, trace):
    cost = _object(observation.cost)
    return {
        "usageDetails": _object(observation.usage),
        "costDetails": cost,
        "totalCost": observation.total_cost,
        "inputCost": _sum(cost, "input"),
        "outputCost": _sum(cost, "output"),
        "inputUsage": observation.input_tokens or 0,
        "outputUsage": observation.output_tokens or 0,
        "totalUsage": observation.total_tokens or 0,
        "usagePricingTierName": None,
    }


def _prompt(observation, trace):
    return {
        "promptId": None,
        "promptName": observation.prompt_name,
        "promptVersion": observation.prompt_version,
    }


def _metrics(observation, trace):
    return {"latency": observation.latency, "timeToFirstToken": _time_to_first_token(observation)}


def _trace_context(observation, trace):
    return {
        "tags": trace.tags if trace else [],
        "release": trace and trace.release,
        "traceName": trace and trace.name,
    }


_V2_GROUPS = {
    "basic": _basic,
    "time": _time,
    "io": _io,
    "model": _model,
    "usage": _usage,
    "prompt": _prompt,
    "metrics": _metrics,
    "trace_context": _trace_context,
}


def session_json(session):
    """Return a session of the list."""
    return {
        "id": session.id,
        "createdAt": iso(session.first_seen),
        "projectId": session.project_id,
        "environment": session.environment,
    }


def _trace_value(own, roots):
    return _value(own if own is not None else roots)


def _value(text):
    # An empty string reads back as null: the SDKs' own suites expect it.
    return payload.parse(text) if text else None


def _object(text):
    value = payload.parse(text)
    return value if isinstance(value, dict) else {}


def _usage_view(observation):
    return {
        "unit": "TOKENS",
        "input": observation.input_tokens or 0,
        "output": observation.output_tokens or 0,
        "total": observation.total_tokens or 0,
    }


def _sum(details, prefix):
    parts = [amount for key, amount in details.items() if key.startswith(prefix)]
    return sum(parts) if parts else None


def _prices(usage, cost, *, number):
    """Return dollars a token, as far as cost and usage tell; text in generation 2."""
    prices = {}
    for field, prefix in (("inputPrice", "input"), ("outputPrice", "output"), ("totalPrice", "total")):
        tokens, dollars = usage.get(prefix), cost.get(prefix)
        price = dollars / tokens if prefix != "total" and tokens and dollars is not None else None
        prices[field] = price if number or price is None else f"{price:.12f}".rstrip("0")
    return prices


def _time_to_first_token(observation):
    if observation.completion_start_time is None:
        return None
    return (observation.completion_start_time - observation.start_time).total_seconds()


def _cut(value):
    text = value if isinstance(value, str) else payload.dump(value)
    return value if len(text) <= _CUT else text[:_CUT]

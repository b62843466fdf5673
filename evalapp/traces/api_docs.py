"""What the API's document says about traces, observations, sessions, models, and OTLP, which is no DRF view."""

from rest_framework import serializers

from evalapp.core.api import JSONValue, Text
from evalapp.core.openapi import (
    FILTER,
    Message,
    choices_query,
    cursor_page,
    cursoring,
    document,
    list_query,
    operation,
    page,
    paging,
    path_text,
    text_query,
    time_query,
)
from evalapp.traces import api_models, api_observations, api_traces, wire
from evalapp.traces.models import Level, ObservationType

_TRACE_ID = path_text("trace_id", "Id of the trace.", "4bf92f3577b34da6a3ce929d0e0e4736")
_FIELDS = choices_query("fields", "Field groups; by default all.", wire.TRACE_GROUPS)


class ObservationOutput(serializers.Serializer):
    """An observation of generation 1: input and output parsed, prices as numbers."""

    id = Text()
    traceId = Text()
    projectId = Text()
    type = serializers.ChoiceField(ObservationType.values)
    name = Text(allow_null=True)
    startTime = serializers.DateTimeField()
    endTime = serializers.DateTimeField(allow_null=True)
    completionStartTime = serializers.DateTimeField(allow_null=True)
    model = Text(allow_null=True)
    modelParameters = serializers.DictField()
    input = JSONValue(required=True)
    output = JSONValue(required=True)
    version = Text(allow_null=True)
    metadata = serializers.DictField()
    level = serializers.ChoiceField(Level.values)
    statusMessage = Text(allow_null=True)
    parentObservationId = Text(allow_null=True)
    promptId = Text(allow_null=True)
    promptName = Text(allow_null=True)
    promptVersion = serializers.IntegerField(allow_null=True)
    usage = serializers.DictField()
    usageDetails = serializers.DictField()
    costDetails = serializers.DictField()
    environment = Text()
    modelId = Text(allow_null=True)
    inputPrice = serializers.FloatField(allow_null=True)
    outputPrice = serializers.FloatField(allow_null=True)
    totalPrice = serializers.FloatField(allow_null=True)
    calculatedInputCost = serializers.FloatField(allow_null=True)
    calculatedOutputCost = serializers.FloatField(allow_null=True)
    calculatedTotalCost = serializers.FloatField(allow_null=True)
    latency = serializers.FloatField(allow_null=True)
    timeToFirstToken = serializers.FloatField(allow_null=True)

    EXAMPLE = {
        "id": "00f067aa0ba902b7",
        "traceId": "4bf92f3577b34da6a3ce929d0e0e4736",
        "projectId": "support-agent",
        "type": "GENERATION",
        "name": "answer",
        "startTime": "2026-11-20T12:00:00.000Z",
        "endTime": "2026-11-20T12:00:02.000Z",
        "completionStartTime": None,
        "model": "gpt-4o",
        "modelParameters": {"temperature": 0.2},
        "input": [{"role": "user", "content": "Where is my money?"}],
        "output": {"role": "assistant", "content": "It arrives within five days."},
        "version": None,
        "metadata": {},
        "level": "DEFAULT",
        "statusMessage": None,
        "parentObservationId": None,
        "promptId": None,
        "promptName": "support/answer",
        "promptVersion": 1,
        "usage": {"unit": "TOKENS", "input": 12, "output": 8, "total": 20},
        "usageDetails": {"input": 12, "output": 8, "total": 20},
        "costDetails": {"total": 0.0002},
        "environment": "default",
        "modelId": None,
        "inputPrice": None,
        "outputPrice": None,
        "totalPrice": None,
        "calculatedInputCost": None,
        "calculatedOutputCost": None,
        "calculatedTotalCost": 0.0002,
        "latency": 2.0,
        "timeToFirstToken": None,
    }


class ObservationV2Output(serializers.Serializer):
    """An observation of generation 2: the core and the asked field groups, input and output as text."""

    id = Text()
    traceId = Text()
    startTime = serializers.DateTimeField()
    endTime = serializers.DateTimeField(allow_null=True)
    projectId = Text()
    parentObservationId = Text(allow_null=True)
    type = serializers.ChoiceField(ObservationType.values)
    name = Text(required=False, allow_null=True)
    level = serializers.ChoiceField(Level.values, required=False)
    statusMessage = Text(required=False, allow_null=True)
    version = Text(required=False, allow_null=True)
    environment = Text(required=False)
    userId = Text(required=False, allow_null=True)
    sessionId = Text(required=False, allow_null=True)
    input = Text(required=False, allow_null=True)
    output = Text(required=False, allow_null=True)
    metadata = serializers.DictField(required=False)
    inputPrice = Text(required=False, allow_null=True)
    outputPrice = Text(required=False, allow_null=True)
    totalPrice = Text(required=False, allow_null=True)
    usageDetails = serializers.DictField(required=False)
    costDetails = serializers.DictField(required=False)

    EXAMPLE = {
        "id": "00f067aa0ba902b7",
        "traceId": "4bf92f3577b34da6a3ce929d0e0e4736",
        "startTime": "2026-11-20T12:00:00.000Z",
        "endTime": "2026-11-20T12:00:02.000Z",
        "projectId": "support-agent",
        "parentObservationId": None,
        "type": "GENERATION",
        "name": "answer",
        "level": "DEFAULT",
        "environment": "default",
    }


class TraceSummaryOutput(serializers.Serializer):
    """A trace; of its observations and scores the ids."""

    id = Text()
    projectId = Text()
    timestamp = serializers.DateTimeField()
    name = Text(allow_null=True)
    userId = Text(allow_null=True)
    sessionId = Text(allow_null=True)
    release = Text(allow_null=True)
    version = Text(allow_null=True)
    environment = Text()
    public = serializers.BooleanField()
    bookmarked = serializers.BooleanField()
    tags = serializers.ListField(child=Text())
    metadata = JSONValue(required=True)
    input = JSONValue(required=True)
    output = JSONValue(required=True)
    createdAt = serializers.DateTimeField()
    updatedAt = serializers.DateTimeField()
    htmlPath = Text()
    latency = serializers.FloatField(help_text="Seconds; -1 when not asked for.")
    totalCost = serializers.FloatField(help_text="Dollars; -1 when not asked for.")
    observations = serializers.ListField(child=Text())
    scores = serializers.ListField(child=Text())

    EXAMPLE = {
        "id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "projectId": "support-agent",
        "timestamp": "2026-11-20T12:00:00.000Z",
        "name": "refund",
        "userId": "customer-7",
        "sessionId": "chat-1",
        "release": None,
        "version": None,
        "environment": "default",
        "public": False,
        "bookmarked": False,
        "tags": ["refund"],
        "metadata": {},
        "input": "Where is my money?",
        "output": "It arrives within five days.",
        "createdAt": "2026-11-20T12:00:02.100Z",
        "updatedAt": "2026-11-20T12:00:02.100Z",
        "htmlPath": "/project/support-agent/traces/4bf92f3577b34da6a3ce929d0e0e4736",
        "latency": 2.0,
        "totalCost": 0.0002,
        "observations": ["00f067aa0ba902b7"],
        "scores": [],
    }


class TraceOutput(TraceSummaryOutput):
    """A trace with its observations and scores."""

    observations = ObservationOutput(many=True)
    scores = serializers.ListField(child=serializers.DictField())

    EXAMPLE = {**TraceSummaryOutput.EXAMPLE, "observations": [ObservationOutput.EXAMPLE]}


class SessionOutput(serializers.Serializer):
    """A session: the traces of one conversation."""

    id = Text()
    createdAt = serializers.DateTimeField()
    projectId = Text()
    environment = Text()

    EXAMPLE = {
        "id": "chat-1",
        "createdAt": "2026-11-20T12:00:00.000Z",
        "projectId": "support-agent",
        "environment": "default",
    }


class SessionWithTracesOutput(SessionOutput):
    """A session with its traces, oldest first."""

    traces = TraceSummaryOutput(many=True)

    EXAMPLE = {**SessionOutput.EXAMPLE, "traces": [TraceSummaryOutput.EXAMPLE]}


class ModelOutput(serializers.Serializer):
    """What a project pays for a model, in dollars a token."""

    id = Text()
    modelName = Text()
    matchPattern = Text()
    startDate = serializers.DateTimeField(allow_null=True)
    unit = Text()
    inputPrice = serializers.FloatField(allow_null=True)
    outputPrice = serializers.FloatField(allow_null=True)
    totalPrice = serializers.FloatField(allow_null=True)
    tokenizerId = Text(allow_null=True)
    tokenizerConfig = JSONValue(required=True)
    isLangfuseManaged = serializers.BooleanField()
    createdAt = serializers.DateTimeField()
    prices = serializers.DictField(child=serializers.DictField())
    pricingTiers = serializers.ListField(child=serializers.DictField())

    EXAMPLE = {
        "id": "model-1",
        "modelName": "house-llm",
        "matchPattern": "(?i)^house-llm",
        "startDate": None,
        "unit": "TOKENS",
        "inputPrice": 0.000001,
        "outputPrice": 0.000002,
        "totalPrice": None,
        "tokenizerId": None,
        "tokenizerConfig": None,
        "isLangfuseManaged": False,
        "createdAt": "2026-11-20T12:00:00.000Z",
        "prices": {"input": {"price": 0.000001}, "output": {"price": 0.000002}},
        "pricingTiers": [],
    }


document(
    api_traces.TraceList,
    tag="Traces",
    get=operation(
        "listTraces",
        "List traces",
        answers=page(TraceSummaryOutput),
        query=[
            *paging(),
            text_query("userId", "Of this user."),
            text_query("name", "Of this name."),
            text_query("sessionId", "Of this session."),
            text_query("version", "Of this version."),
            text_query("release", "Of this release."),
            list_query("tags", "With all of these tags."),
            list_query("environment", "In one of these environments."),
            time_query("fromTimestamp", "At or after."),
            time_query("toTimestamp", "Before."),
            text_query("orderBy", "A field and a direction; by default `timestamp.desc`.", example="latency.desc"),
            _FIELDS,
            FILTER,
        ],
    ),
    delete=operation(
        "deleteTraces",
        "Delete traces with all that belongs to them",
        body=api_traces.TraceIds,
        answers=Message,
        example={"traceIds": ["0af7651916cd43dd8448eb211c80319c"]},
    ),
)
document(
    api_traces.TraceDetail,
    tag="Traces",
    get=operation("getTrace", "Get a trace", answers=TraceOutput, path=[_TRACE_ID], query=[_FIELDS]),
    delete=operation(
        "deleteTrace",
        "Delete a trace with all that belongs to it",
        answers=Message,
        path=[path_text("trace_id", "Id of the trace.", "5b8aa5a2d2c872e8321cf37308d69df2")],
    ),
)
document(
    api_traces.SessionList,
    tag="Sessions",
    get=operation(
        "listSessions",
        "List sessions, newest first",
        answers=page(SessionOutput),
        query=[
            *paging(),
            time_query("fromTimestamp", "Begun at or after."),
            time_query("toTimestamp", "Begun before."),
            list_query("environment", "In one of these environments."),
        ],
    ),
)
document(
    api_traces.SessionDetail,
    tag="Sessions",
    get=operation(
        "getSession",
        "Get a session with its traces",
        answers=SessionWithTracesOutput,
        path=[path_text("session_id", "Id of the session.", "chat-1")],
    ),
)

_OBSERVATION_QUERY = [
    text_query("name", "Of this name."),
    text_query("traceId", "Of this trace."),
    text_query("userId", "Of this user's traces."),
    text_query("sessionId", "Of this session's traces."),
    text_query("version", "Of this version."),
    text_query("type", "Of this type.", choices=ObservationType.values),
    text_query("level", "Of this level.", choices=Level.values),
    text_query("parentObservationId", "Below this observation; empty for those without a parent."),
    text_query("isRootObservation", "Roots alone, or all others.", choices=["true", "false"]),
    list_query("environment", "In one of these environments."),
    time_query("fromStartTime", "Started at or after."),
    time_query("toStartTime", "Started before."),
    FILTER,
]

document(
    api_observations.ObservationList,
    tag="Observations",
    get=operation(
        "listObservationsV1",
        "List observations, newest first (generation 1)",
        answers=page(ObservationOutput),
        query=[*paging(), *_OBSERVATION_QUERY],
    ),
)
document(
    api_observations.ObservationDetail,
    tag="Observations",
    get=operation(
        "getObservationV1",
        "Get an observation",
        answers=ObservationOutput,
        path=[path_text("observation_id", "Id of the observation.", "00f067aa0ba902b7")],
    ),
)
document(
    api_observations.ObservationListV2,
    tag="Observations",
    get=operation(
        "listObservations",
        "List observations, newest first",
        answers=cursor_page(ObservationV2Output),
        query=[
            *cursoring(maximum=1000),
            choices_query("fields", "Field groups; by default `core,basic`.", wire.OBSERVATION_GROUPS),
            text_query("expandMetadata", "A comma list of metadata keys to give uncut."),
            *_OBSERVATION_QUERY,
        ],
    ),
)

_MODEL_ID = [path_text("model_id", "Id of the definition.", "model-1")]
_MODEL_EXAMPLE = {
    "modelName": "house-llm",
    "matchPattern": "(?i)^house-llm",
    "inputPrice": 0.000001,
    "outputPrice": 0.000002,
}

document(
    api_models.ModelList,
    tag="Models",
    get=operation("listModels", "List the project's model prices", answers=page(ModelOutput), query=paging()),
    post=operation(
        "createModel",
        "Say what a model costs",
        body=api_models.ModelInput,
        answers=ModelOutput,
        example=_MODEL_EXAMPLE,
    ),
)
document(
    api_models.ModelDetail,
    tag="Models",
    get=operation("getModel", "Get a model's prices", answers=ModelOutput, path=_MODEL_ID),
    put=operation(
        "replaceModel",
        "Replace a model's prices",
        body=api_models.ModelInput,
        answers=ModelOutput,
        path=_MODEL_ID,
        example=_MODEL_EXAMPLE,
    ),
    delete=operation(
        "deleteModel",
        "Delete a model's prices",
        answers=Message,
        path=[path_text("model_id", "Id of the definition.", "model-2")],
    ),
)


def otlp_paths(result, generator, request, public):
    """Describe OTLP ingest, whose bodies OpenTelemetry specifies."""
    result["paths"]["/api/public/otel/v1/traces"] = {"post": _EXPORT_TRACES}
    for name in ("metrics", "logs"):
        result["paths"][f"/api/public/otel/v1/{name}"] = {"post": _dropped(name)}
    return result


def _dropped(name):
    answer = _EXPORT_TRACES["responses"]["200"] | {"description": "Taken and dropped."}
    return {
        "operationId": f"export{name.title()}",
        "summary": f"Send {name} (OTLP), which are dropped",
        "description": f"Exporters with one base URL send {name} too; they are answered, and not kept.",
        "tags": ["Ingest"],
        "security": [{"keyPair": []}],
        "requestBody": {
            "content": {
                "application/json": {"schema": {"type": "object"}, "examples": {"Request": {"value": {}}}},
                "application/x-protobuf": {"schema": {"type": "string", "format": "binary"}},
            }
        },
        "responses": {"200": answer},
    }


_EXPORT_TRACES = {
    "operationId": "exportTraces",
    "summary": "Send spans (OTLP)",
    "description": "An OpenTelemetry ExportTraceServiceRequest as protobuf or JSON, plain or with "
    "`Content-Encoding: gzip`. 200 means that the spans are stored; spans that are sent again replace "
    "themselves. Bare exporters may use `/v1/traces`.",
    "tags": ["Ingest"],
    "security": [{"keyPair": []}],
    "parameters": [
        {
            "in": "header",
            "name": "X-Langfuse-Ingestion-Version",
            "description": "Set by the SDKs; at most 4.",
            "schema": {"type": "string", "enum": ["1", "2", "3", "4"]},
        }
    ],
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {"resourceSpans": {"type": "array", "items": {"type": "object"}}},
                },
                "examples": {
                    "Request": {
                        "value": {
                            "resourceSpans": [
                                {
                                    "resource": {"attributes": []},
                                    "scopeSpans": [
                                        {
                                            "scope": {"name": "my-app"},
                                            "spans": [
                                                {
                                                    "traceId": "4bf92f3577b34da6a3ce929d0e0e4736",
                                                    "spanId": "00f067aa0ba902b7",
                                                    "name": "answer",
                                                    "kind": 1,
                                                    "startTimeUnixNano": "1795176000000000000",
                                                    "endTimeUnixNano": "1795176002000000000",
                                                    "attributes": [
                                                        {
                                                            "key": "gen_ai.request.model",
                                                            "value": {"stringValue": "gpt-4o"},
                                                        }
                                                    ],
                                                }
                                            ],
                                        }
                                    ],
                                }
                            ]
                        }
                    }
                },
            },
            "application/x-protobuf": {"schema": {"type": "string", "format": "binary"}},
        },
    },
    "responses": {
        "200": {
            "description": "Stored.",
            "content": {
                "application/json": {
                    "schema": {"type": "object"},
                    "examples": {"Response": {"value": {}}},
                },
                "application/x-protobuf": {"schema": {"type": "string", "format": "binary", "maxLength": 0}},
            },
        },
        "503": {
            "description": "The spans could not be stored; send them again after `Retry-After` seconds.",
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
        },
    },
}

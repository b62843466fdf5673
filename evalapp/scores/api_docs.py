"""What the API's document says about scores and score configs."""

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from rest_framework import serializers

from evalapp.core.api import JSONValue, Text
from evalapp.core.openapi import (
    FILTER,
    OR_PUBLIC_KEY,
    Created,
    Message,
    choices_query,
    cursor_page,
    cursoring,
    document,
    list_query,
    number_query,
    one_of,
    operation,
    page,
    paging,
    path_text,
    text_query,
    time_query,
)
from evalapp.scores import api, api_configs, api_ingestion, api_metrics, api_v3
from evalapp.scores.judgements import Moment, ScoreInput
from evalapp.scores.models import DataType, Source


class MomentExtension(OpenApiSerializerFieldExtension):
    """The time of a score is read as leniently as the times of the query."""

    target_class = Moment

    def map_serializer_field(self, auto_schema, direction):
        return {"type": "string", "format": "date-time"}


class ScoreOutput(serializers.Serializer):
    """A score of generations 1 and 2: `value` is a number, of a label `stringValue` is the text."""

    id = Text()
    projectId = Text()
    traceId = Text(allow_null=True)
    observationId = Text(allow_null=True)
    sessionId = Text(allow_null=True)
    datasetRunId = Text(allow_null=True)
    name = Text()
    dataType = serializers.ChoiceField(DataType.values)
    value = serializers.FloatField(required=False)
    stringValue = Text(allow_null=True)
    source = serializers.ChoiceField(Source.values)
    timestamp = serializers.DateTimeField()
    createdAt = serializers.DateTimeField()
    updatedAt = serializers.DateTimeField()
    authorUserId = Text(allow_null=True)
    comment = Text(allow_null=True)
    metadata = JSONValue(required=True)
    configId = Text(allow_null=True)
    queueId = Text(allow_null=True)
    environment = Text()

    EXAMPLE = {
        "id": "score-1",
        "projectId": "support-agent",
        "traceId": "4bf92f3577b34da6a3ce929d0e0e4736",
        "observationId": None,
        "sessionId": None,
        "datasetRunId": None,
        "name": "correct",
        "dataType": "BOOLEAN",
        "value": 1.0,
        "stringValue": "True",
        "source": "API",
        "timestamp": "2026-11-20T12:00:00.000Z",
        "createdAt": "2026-11-20T12:00:00.000Z",
        "updatedAt": "2026-11-20T12:00:00.000Z",
        "authorUserId": None,
        "comment": None,
        "metadata": None,
        "configId": None,
        "queueId": None,
        "environment": "default",
    }


class ScoreTraceOutput(serializers.Serializer):
    """What a score's trace is."""

    userId = Text(allow_null=True)
    tags = serializers.ListField(child=Text())
    environment = Text(allow_null=True)
    sessionId = Text(allow_null=True)
    name = Text(allow_null=True)


class ScoreWithTraceOutput(ScoreOutput):
    """A score and what its trace says about user, tags and session."""

    trace = ScoreTraceOutput(required=False)

    EXAMPLE = {
        **ScoreOutput.EXAMPLE,
        "trace": {
            "userId": "customer-7",
            "tags": ["refund"],
            "environment": "default",
            "sessionId": "chat-1",
            "name": "refund",
        },
    }


class RefusedScoreOutput(serializers.Serializer):
    """A score of a batch that was not stored."""

    index = serializers.IntegerField()
    id = JSONValue(required=True)
    message = Text()


class ScoresTakenOutput(serializers.Serializer):
    """How many scores of a batch were stored, and what is wrong with the rest."""

    accepted = serializers.IntegerField()
    rejected = serializers.IntegerField()
    errors = RefusedScoreOutput(many=True)

    EXAMPLE = {
        "accepted": 1,
        "rejected": 1,
        "errors": [{"index": 1, "id": "score-2", "message": "value: The value must be a finite number."}],
    }


class ScoresAcceptedOutput(Message):
    """Every score of the batch was stored."""

    EXAMPLE = {"message": "Accepted"}


class ScoreDeletedOutput(Message):
    """That a score was deleted."""


class ScoreConfigOutput(serializers.Serializer):
    """What scores of a name look like."""

    id = Text()
    name = Text()
    createdAt = serializers.DateTimeField()
    updatedAt = serializers.DateTimeField()
    projectId = Text()
    dataType = serializers.ChoiceField(DataType.values)
    isArchived = serializers.BooleanField()
    minValue = serializers.FloatField(allow_null=True)
    maxValue = serializers.FloatField(allow_null=True)
    categories = serializers.ListField(child=serializers.DictField(), allow_null=True)
    description = Text(allow_null=True)

    EXAMPLE = {
        "id": "config-1",
        "name": "Tone",
        "createdAt": "2026-11-20T12:00:00.000Z",
        "updatedAt": "2026-11-20T12:00:00.000Z",
        "projectId": "support-agent",
        "dataType": "CATEGORICAL",
        "isArchived": False,
        "minValue": None,
        "maxValue": None,
        "categories": [{"label": "friendly", "value": 1}, {"label": "rude", "value": 0}],
        "description": None,
    }


class SubjectOutput(serializers.Serializer):
    """What a score is about."""

    kind = serializers.ChoiceField(["trace", "observation", "session", "experiment"])
    id = Text()
    traceId = Text(required=False)


class ScoreV3Output(serializers.Serializer):
    """A score of generation 3: a typed value; details, subject and annotation on request."""

    id = Text()
    projectId = Text()
    name = Text()
    value = JSONValue(required=True)
    dataType = serializers.ChoiceField(DataType.values)
    source = serializers.ChoiceField(Source.values)
    timestamp = serializers.DateTimeField()
    environment = Text()
    createdAt = serializers.DateTimeField()
    updatedAt = serializers.DateTimeField()
    comment = Text(required=False, allow_null=True)
    configId = Text(required=False, allow_null=True)
    metadata = JSONValue()
    subject = SubjectOutput(required=False)
    authorUserId = Text(required=False, allow_null=True)
    queueId = Text(required=False, allow_null=True)

    EXAMPLE = {
        "id": "score-1",
        "projectId": "support-agent",
        "name": "correct",
        "value": True,
        "dataType": "BOOLEAN",
        "source": "API",
        "timestamp": "2026-11-20T12:00:00.000Z",
        "environment": "default",
        "createdAt": "2026-11-20T12:00:00.000Z",
        "updatedAt": "2026-11-20T12:00:00.000Z",
    }


document(
    api_v3.ScoreList,
    tag="Scores",
    get=operation(
        "listScores",
        "List scores, newest first",
        answers=cursor_page(ScoreV3Output),
        query=[
            *cursoring(),
            choices_query("fields", "Field groups besides the core.", api_v3.GROUPS),
            text_query("id", "A comma list of ids."),
            text_query("name", "A comma list of names."),
            choices_query("source", "Where they come from.", Source.values),
            choices_query("dataType", "Types of value.", DataType.values),
            text_query("environment", "A comma list of environments."),
            text_query("configId", "A comma list of score configs."),
            text_query("queueId", "A comma list of queues."),
            text_query("authorUserId", "A comma list of people."),
            text_query("traceId", "A comma list of traces; one kind of subject at a time."),
            text_query("observationId", "A comma list of observations; needs `traceId`."),
            text_query("sessionId", "A comma list of sessions."),
            text_query("experimentId", "A comma list of experiments."),
            text_query("value", "A comma list of values; needs exactly one `dataType`."),
            number_query("valueMin", "At least; needs `dataType=NUMERIC`.", kind="number"),
            number_query("valueMax", "At most; needs `dataType=NUMERIC`.", kind="number"),
            time_query("fromTimestamp", "At or after."),
            time_query("toTimestamp", "Before."),
        ],
    ),
)

_QUERY_V2 = [
    *paging(),
    choices_query("fields", "What to show.", ("score", "trace")),
    text_query("name", "Of this name."),
    text_query("configId", "Of this score config."),
    text_query("queueId", "Given in this queue."),
    text_query("traceId", "Of this trace."),
    text_query("observationId", "Of this observation."),
    text_query("sessionId", "Of this session."),
    text_query("datasetRunId", "Of this run."),
    text_query("userId", "Of this user's traces."),
    text_query("traceTags", "A comma list of tags that the trace has."),
    text_query("scoreIds", "A comma list of ids."),
    text_query("source", "From there.", choices=Source.values),
    text_query("dataType", "Of this type.", choices=DataType.values),
    text_query("operator", "How `value` is compared.", choices=["=", "!=", "<>", ">", ">=", "<", "<="]),
    number_query("value", "The number to compare with.", kind="number"),
    list_query("environment", "In one of these environments."),
    time_query("fromTimestamp", "At or after."),
    time_query("toTimestamp", "Before."),
    FILTER,
]
_SCORE_ID = [path_text("score_id", "Id of the score.", "score-1")]
_CONFIG_ID = [path_text("config_id", "Id of the score config.", "config-1")]

document(
    api.ScoreList,
    tag="Scores",
    get=operation(
        "listScoresV1",
        "List the scores of traces (generation 1)",
        answers=page(ScoreWithTraceOutput),
        query=_QUERY_V2,
    ),
    post=operation(
        "writeScores",
        "Write a score, or many",
        about="An array is answered with 202, or with 207 when some of it was refused. A score sent again under "
        "its id replaces itself. Its subject need not exist yet.",
        body=one_of("ScoreOrScores", [ScoreInput, ScoreInput(many=True)]),
        answers={200: Created, 202: ScoresAcceptedOutput, 207: ScoresTakenOutput},
        auth=OR_PUBLIC_KEY,
        example={
            "id": "score-3",
            "traceId": "4bf92f3577b34da6a3ce929d0e0e4736",
            "name": "correct",
            "value": 1,
            "dataType": "BOOLEAN",
            "comment": "The refund was made.",
        },
    ),
)
document(
    api.ScoreListV2,
    tag="Scores",
    get=operation(
        "listScoresV2", "List scores (generation 2)", answers=page(ScoreWithTraceOutput), query=_QUERY_V2
    ),
)
document(
    api.ScoreDetailV2,
    tag="Scores",
    get=operation("getScoreV2", "Get a score (generation 2)", answers=ScoreOutput, path=_SCORE_ID),
)
document(
    api.ScoreDetail,
    tag="Scores",
    get=operation("getScore", "Get a score", answers=ScoreOutput, path=_SCORE_ID),
    delete=operation(
        "deleteScore",
        "Delete a score",
        answers={202: ScoreDeletedOutput},
        path=[path_text("score_id", "Id of the score.", "score-2")],
    ),
)
document(
    api_configs.ScoreConfigList,
    tag="Score configs",
    get=operation(
        "listScoreConfigs",
        "List score configs, archived ones too",
        answers=page(ScoreConfigOutput),
        query=paging(),
    ),
    post=operation(
        "createScoreConfig",
        "Make a score config",
        body=api_configs.ConfigInput,
        answers=ScoreConfigOutput,
        example={
            "name": "Politeness",
            "dataType": "CATEGORICAL",
            "categories": [{"label": "friendly", "value": 1}, {"label": "rude", "value": 0}],
        },
    ),
)
document(
    api_configs.ScoreConfigDetail,
    tag="Score configs",
    get=operation("getScoreConfig", "Get a score config", answers=ScoreConfigOutput, path=_CONFIG_ID),
    patch=operation(
        "changeScoreConfig",
        "Change, archive or restore a score config",
        body=api_configs.ConfigChange,
        answers=ScoreConfigOutput,
        path=_CONFIG_ID,
        example={"description": "How it sounds to the customer."},
    ),
)


class EventInput(serializers.Serializer):
    """One event of a batch; what its body holds depends on its type."""

    id = Text()
    type = Text(help_text="Such as `score-create` or `trace-create`.")
    timestamp = serializers.DateTimeField()
    body = serializers.DictField()


class BatchInput(serializers.Serializer):
    """Events in the order in which they happened."""

    batch = EventInput(many=True)
    metadata = JSONValue()


class StoredEventOutput(serializers.Serializer):
    """An event that was stored."""

    id = JSONValue(required=True)
    status = serializers.IntegerField()


class RefusedEventOutput(StoredEventOutput):
    """An event that was refused."""

    message = Text()
    error = Text()


class BatchOutput(serializers.Serializer):
    """What became of each event."""

    successes = StoredEventOutput(many=True)
    errors = RefusedEventOutput(many=True)

    EXAMPLE = {"successes": [{"id": "event-1", "status": 201}], "errors": []}


class MetricsOutput(serializers.Serializer):
    """One row for each group; its fields are the dimensions and the metrics that were asked for."""

    data = serializers.ListField(child=serializers.DictField())

    EXAMPLE = {"data": [{"name": "refund", "count_count": 12}]}


_METRICS_QUERY = [
    text_query(
        "query",
        "JSON: `view`, `metrics`, `dimensions`, `filters`, `fromTimestamp`, `toTimestamp`, `timeDimension`, "
        "`orderBy` and `config`.",
        required=True,
        example='{"view": "observations", "metrics": [{"measure": "count", "aggregation": "count"}], '
        '"dimensions": [{"field": "name"}], "fromTimestamp": "2026-11-20T00:00:00Z", '
        '"toTimestamp": "2026-11-21T00:00:00Z"}',
    )
]

document(
    api_ingestion.Ingestion,
    tag="Ingest",
    post=operation(
        "ingestEvents",
        "Send a batch of events",
        about="The batch of the older SDKs. The answer is always 207 and says of each event what became of it. "
        "With the public key alone, scores may be sent.",
        body=BatchInput,
        answers={207: BatchOutput},
        auth=OR_PUBLIC_KEY,
        example={
            "batch": [
                {
                    "id": "event-1",
                    "type": "score-create",
                    "timestamp": "2026-11-20T12:00:00Z",
                    "body": {
                        "id": "score-4",
                        "traceId": "4bf92f3577b34da6a3ce929d0e0e4736",
                        "name": "correct",
                        "value": 1,
                    },
                }
            ]
        },
    ),
)
document(
    api_metrics.Metrics,
    tag="Metrics",
    get=operation(
        "getMetrics",
        "Count and sum up traces, observations and scores",
        answers=MetricsOutput,
        query=_METRICS_QUERY,
    ),
)
document(
    api_metrics.MetricsV1,
    tag="Metrics",
    get=operation(
        "getMetricsV1", "The same at the path of generation 1", answers=MetricsOutput, query=_METRICS_QUERY
    ),
)

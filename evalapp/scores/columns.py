"""The columns by which the `filter` parameter narrows scores."""

from django.db.models import F, Value
from django.db.models.functions import NullIf

from evalapp.traces.conditions import Column


def _subject(name):
    # No subject is an empty text in the table, and null to clients.
    return Column("text", NullIf(name, Value("")))


SCORE_COLUMNS = {
    "id": Column("text", "id"),
    "name": Column("text", "name"),
    "timestamp": Column("time", "timestamp"),
    "source": Column("text", "source"),
    "dataType": Column("text", "data_type"),
    "value": Column("number", "value"),
    "stringValue": Column("text", "string_value"),
    "comment": Column("text", "comment"),
    "environment": Column("text", "environment"),
    "traceId": _subject("trace_id"),
    "observationId": _subject("observation_id"),
    "sessionId": _subject("session_id"),
    "datasetRunId": _subject("dataset_run_id"),
    "queueId": _subject("queue_id"),
    "configId": Column("text", "config_id"),
    "metadata": Column("object", F("metadata")),
    "userId": Column("text", "user_id", "trace"),
    "traceName": Column("text", "name", "trace"),
    "tags": Column("list", "tags", "trace"),
    "traceTags": Column("list", "tags", "trace"),
}

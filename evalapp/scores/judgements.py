"""Scores as clients send them → checked scores. One reading for single scores, batches and the event batch."""

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404
from rest_framework import serializers

from evalapp.core.api import JSONValue, Text, issues_of, parse_time
from evalapp.scores.actions import build_score
from evalapp.scores.models import DataType, Source
from evalapp.traces.otel import environment_of

# What the rules of scores call a field → what the API calls it.
_PUBLIC_NAMES = {
    "trace_id": "traceId",
    "observation_id": "observationId",
    "session_id": "sessionId",
    "dataset_run_id": "datasetRunId",
    "data_type": "dataType",
    "config": "configId",
    "queue_id": "queueId",
}
BAD_JUDGEMENT = (ValidationError, serializers.ValidationError, Http404, PermissionDenied)


class Moment(serializers.Field):
    """An ISO 8601 time; without an offset it is UTC."""

    def to_internal_value(self, data):
        try:
            return parse_time(data, "timestamp")
        except ValidationError as error:
            raise serializers.ValidationError(error.messages) from error


def _optional_text(**options):
    return Text(required=False, allow_null=True, allow_blank=True, **options)


class ScoreInput(serializers.Serializer):
    """A score as the SDKs send it; null means absent. Its rules are those of build_score."""

    id = _optional_text()
    traceId = _optional_text()
    observationId = _optional_text()
    sessionId = _optional_text()
    datasetRunId = _optional_text()
    name = _optional_text()
    value = JSONValue()
    dataType = serializers.ChoiceField(DataType.values, required=False, allow_null=True)
    configId = _optional_text()
    queueId = _optional_text()
    source = serializers.ChoiceField([Source.API, Source.ANNOTATION], required=False, allow_null=True)
    comment = _optional_text()
    environment = _optional_text()
    timestamp = Moment(required=False, allow_null=True)
    metadata = JSONValue()


def read_scores(key, bodies):
    """Return, for each body in order, a checked Score that isn't saved yet, or the exception that refuses it.

    `key` is the ApiKey. One that may only score writes scores of source API, and replaces no others.
    """
    configs = key.project.score_configs.in_bulk({id for body in bodies if (id := _text(body, "configId"))})
    read = [_attempt(key, body, configs) for body in bodies]
    if key.may_only_score:
        ids = [score.id for score in read if not isinstance(score, Exception)]
        guarded = set(
            key.project.scores.filter(id__in=ids).exclude(source=Source.API).values_list("id", flat=True)
        )
        read = [
            PermissionDenied(f"A public key cannot replace the score {score.id!r}.")
            if not isinstance(score, Exception) and score.id in guarded
            else score
            for score in read
        ]
    return read


def describe(error):
    """Return what refuses a score as one line naming the fields."""
    parts = []
    for issue in issues_of(error):
        path = ".".join(map(str, issue["path"]))
        parts.append(f"{path}: {issue['message']}" if path else issue["message"])
    return " ".join(parts)


def _text(body, name):
    value = body.get(name) if isinstance(body, dict) else None
    return value if isinstance(value, str) and "\0" not in value else None


def _attempt(key, body, configs):
    try:
        return _read(key, body, configs)
    except BAD_JUDGEMENT as error:
        return error


def _read(key, body, configs):
    data = ScoreInput(data=body)
    data.is_valid(raise_exception=True)
    given = {name: value for name, value in data.validated_data.items() if value not in (None, "")}
    if "value" not in given:
        raise ValidationError({"value": "A score needs a value."})
    config = None
    if config_id := given.get("configId"):
        config = configs.get(config_id)
        if config is None:
            raise Http404(f"Score config {config_id} not found within authorized project")
    _check_source(key, given, config)
    metadata = given.get("metadata", {})
    try:
        return build_score(
            project=key.project,
            id=given.get("id"),
            trace_id=given.get("traceId", ""),
            observation_id=given.get("observationId", ""),
            session_id=given.get("sessionId", ""),
            dataset_run_id=given.get("datasetRunId", ""),
            # The config's name counts, whatever the client calls it.
            name="" if config else given.get("name", ""),
            value=given["value"],
            config=config,
            data_type=given.get("dataType"),
            source=given.get("source", Source.API),
            comment=given.get("comment", ""),
            metadata=metadata if isinstance(metadata, dict) else {"metadata": metadata},
            environment=environment_of(given.get("environment", "default")),
            queue_id=given.get("queueId", ""),
            timestamp=given.get("timestamp"),
        )
    except ValidationError as error:
        raise in_public_terms(error) from error


def _check_source(key, given, config):
    if given.get("source") != Source.ANNOTATION:
        return
    if key.may_only_score:
        raise PermissionDenied("A public key without its secret cannot send annotations.")
    if config is None and given.get("dataType") != DataType.CORRECTION:
        raise ValidationError({"configId": "An annotation needs its score config."})


def in_public_terms(error, names=_PUBLIC_NAMES):
    """Return the ValidationError with its fields called as the API calls them."""
    if not hasattr(error, "error_dict"):
        return error
    return ValidationError({names.get(field, field): errors for field, errors in error.error_dict.items()})

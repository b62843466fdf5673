"""Scores as generation 3 of the API shows them: typed values, one subject, groups of fields on request."""

from django.core.exceptions import ValidationError
from django.db.models import Q
from rest_framework.response import Response
from rest_framework.views import APIView

from evalapp.core.api import (
    cursor_meta,
    iso,
    parse_number,
    query_cursor,
    query_fields,
    query_int,
    query_list,
    query_time,
)
from evalapp.scores.models import DataType, Source

GROUPS = ("core", "details", "subject", "annotation")
_MAX_LIMIT = 100
_SUBJECTS = {"traceId": "trace_id", "sessionId": "session_id", "experimentId": "dataset_run_id"}
_LISTS = {
    "id": "id",
    "name": "name",
    "source": "source",
    "dataType": "data_type",
    "environment": "environment",
    "configId": "config_id",
    "queueId": "queue_id",
    "authorUserId": "author_id",
    "observationId": "observation_id",
    **_SUBJECTS,
}
_CHOICES = {"source": Source.values, "dataType": DataType.values}


def score_json(score, groups=GROUPS):
    """Return a score in the shape of v3; `groups` are the field groups besides the core."""
    shown = {
        "id": score.id,
        "projectId": score.project_id,
        "name": score.name,
        "value": _value(score),
        "dataType": score.data_type,
        "source": score.source,
        "timestamp": iso(score.timestamp),
        "environment": score.environment,
        "createdAt": iso(score.created_at),
        "updatedAt": iso(score.updated_at),
    }
    if "details" in groups:
        shown |= {"comment": score.comment or None, "configId": score.config_id, "metadata": score.metadata}
    if "subject" in groups:
        shown["subject"] = _subject(score)
    if "annotation" in groups:
        author = None if score.author_id is None else str(score.author_id)
        shown |= {"authorUserId": author, "queueId": score.queue_id or None}
    return shown


class ScoreList(APIView):
    """GET lists scores, newest first, page by page with a cursor."""

    def get(self, request):
        groups = query_fields(request, GROUPS, ["core"])
        limit = query_int(request, "limit", 50, minimum=1, maximum=_MAX_LIMIT)
        scores = _filtered(request)
        if after := query_cursor(request):
            moment, score_id = after
            scores = scores.filter(Q(timestamp__lt=moment) | Q(timestamp=moment, id__lt=str(score_id)))
        rows = list(scores.newest_first()[: limit + 1])
        last = (rows[limit - 1].timestamp, rows[limit - 1].id) if len(rows) > limit else None
        data = [score_json(row, groups) for row in rows[:limit]]
        return Response({"data": data, "meta": cursor_meta(limit, last)})


def _filtered(request):
    given = {name: values for name in _LISTS if (values := query_list(request, name)) is not None}
    _check(request, given)
    scores = request.auth.project.scores.all()
    for name, values in given.items():
        scores = scores.filter(**{f"{_LISTS[name]}__in": values})
    if (values := query_list(request, "value")) is not None:
        scores = scores.filter(_has_value(values, given["dataType"][0]))
    for name, lookup in (("valueMin", "value__gte"), ("valueMax", "value__lte")):
        if request.query_params.get(name):
            scores = scores.filter(**{lookup: parse_number(request.query_params[name], name)})
    if start := query_time(request, "fromTimestamp"):
        scores = scores.filter(timestamp__gte=start)
    if end := query_time(request, "toTimestamp"):
        scores = scores.filter(timestamp__lt=end)
    return scores


def _check(request, given):
    if sum(name in given for name in _SUBJECTS) > 1:
        raise ValidationError({"traceId": "Filter by one of traceId, sessionId and experimentId."})
    if "observationId" in given and "traceId" not in given:
        raise ValidationError({"observationId": "An observation is filtered together with its traceId."})
    for name, choices in _CHOICES.items():
        for value in given.get(name, ()):
            if value not in choices:
                raise ValidationError({name: f"{value!r} is none of {', '.join(choices)}."})
    if not all(value.isdigit() for value in given.get("authorUserId", ())):
        raise ValidationError({"authorUserId": "Not the id of a user."})
    types = given.get("dataType", ())
    if (request.query_params.get("valueMin") or request.query_params.get("valueMax")) and types != ["NUMERIC"]:
        raise ValidationError({"valueMin": "Bounds of the value need dataType=NUMERIC."})
    if request.query_params.get("value") and len(types) != 1:
        raise ValidationError({"value": "A filter by value needs exactly one dataType."})


def _has_value(values, data_type):
    if data_type == DataType.BOOLEAN:
        return Q(value__in=[_truth(value) for value in values])
    if data_type == DataType.NUMERIC:
        return Q(value__in=[parse_number(value, "value") for value in values])
    return Q(string_value__in=values)


def _truth(text):
    if text.lower() not in ("true", "false", "1", "0"):
        raise ValidationError({"value": f"{text!r} is neither true nor false."})
    return float(text.lower() in ("true", "1"))


def _value(score):
    if score.data_type == DataType.NUMERIC:
        return score.value
    if score.data_type == DataType.BOOLEAN:
        return bool(score.value)
    return score.string_value or ""


def _subject(score):
    if score.dataset_run_id:
        return {"kind": "experiment", "id": score.dataset_run_id}
    if score.session_id:
        return {"kind": "session", "id": score.session_id}
    if score.observation_id:
        return {"kind": "observation", "id": score.observation_id, "traceId": score.trace_id}
    return {"kind": "trace", "id": score.trace_id}

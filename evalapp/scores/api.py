"""Scores over the API: written one by one or in batches, read in generations 1 and 2."""

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import Http404
from rest_framework.response import Response
from rest_framework.views import APIView

from evalapp.core.api import page_of, parse_number, query_fields, query_list, query_time
from evalapp.projects.authentication import ScoreAuthentication
from evalapp.scores.actions import clear_score, save_scores
from evalapp.scores.columns import SCORE_COLUMNS
from evalapp.scores.judgements import describe, read_scores
from evalapp.scores.models import DataType, Source
from evalapp.scores.wire import score_json, trace_json
from evalapp.traces import conditions

_EQUALITIES = {
    "name": "name",
    "configId": "config_id",
    "sessionId": "session_id",
    "datasetRunId": "dataset_run_id",
    "traceId": "trace_id",
    "observationId": "observation_id",
    "queueId": "queue_id",
}
_CHOICES = {"source": ("source", Source.values), "dataType": ("data_type", DataType.values)}
_OPERATORS = {"=": "exact", "!=": "exact", "<>": "exact", ">": "gt", ">=": "gte", "<": "lt", "<=": "lte"}


class ScoreListV2(APIView):
    """Scores, newest first, with what their traces say about user, tags and session."""

    def get(self, request):
        groups = query_fields(request, ("score", "trace"), ("score", "trace"))
        project = request.auth.project

        def serialise(rows):
            if "trace" not in groups:
                return [score_json(row) for row in rows]
            traces = project.traces.for_list().in_bulk_by_id({row.trace_id for row in rows if row.trace_id})
            return [score_json(row) | {"trace": trace_json(traces.get(row.trace_id))} for row in rows]

        return page_of(self.scores(request).newest_first(), request, serialise)

    def scores(self, request):
        """Return the scores that the query asks for."""
        return _filtered(request, request.auth.project.scores.all())


class ScoreList(ScoreListV2):
    """GET lists the scores of traces (generation 1). POST writes a score, or all that are right of an array."""

    authentication_classes = [ScoreAuthentication]
    rate_limit = "ingestion"

    def scores(self, request):
        """Return the scores that the query asks for, of traces and their observations alone."""
        return super().scores(request).exclude(trace_id="")

    def post(self, request):
        if isinstance(request.data, list):
            return _accept(request.auth, request.data)
        (score,) = read_scores(request.auth, [request.data])
        if isinstance(score, Exception):
            raise score
        save_scores([score])
        return Response({"id": score.id})


class ScoreDetailV2(APIView):
    """One score."""

    def get(self, request, score_id):
        score = request.auth.project.scores.filter(id=score_id).first()
        if score is None:
            raise Http404(_missing(score_id))
        return Response(score_json(score))


class ScoreDetail(ScoreDetailV2):
    """One score; DELETE removes it."""

    def delete(self, request, score_id):
        if not clear_score(project=request.auth.project, id=score_id):
            raise Http404(_missing(score_id))
        return Response({"message": "Score deleted successfully"}, status=202)


def _accept(key, bodies):
    """Store what is right of a batch. The client never sends the rest again: the answer says what it was."""
    read = read_scores(key, bodies)
    scores = [score for score in read if not isinstance(score, Exception)]
    save_scores(scores)
    if len(scores) == len(read):
        return Response({"message": "Accepted"}, status=202)
    errors = [
        {"index": index, "id": _id(bodies[index]), "message": describe(error)}
        for index, error in enumerate(read)
        if isinstance(error, Exception)
    ]
    return Response({"accepted": len(scores), "rejected": len(errors), "errors": errors}, status=207)


def _id(body):
    return body.get("id") if isinstance(body, dict) else None


def _missing(score_id):
    return f"Score {score_id} not found within authorized project"


def _filtered(request, scores):
    params, traces = request.query_params, request.auth.project.traces
    for parameter, column in _EQUALITIES.items():
        if value := params.get(parameter):
            scores = scores.filter(**{column: value})
    for parameter, (column, choices) in _CHOICES.items():
        if value := params.get(parameter):
            if value not in choices:
                raise ValidationError({parameter: f"{value!r} is none of {', '.join(choices)}."})
            scores = scores.filter(**{column: value})
    if ids := query_list(request, "scoreIds"):
        scores = scores.filter(id__in=ids)
    if environments := params.getlist("environment"):
        scores = scores.filter(environment__in=environments)
    if user_id := params.get("userId"):
        scores = scores.filter(trace_id__in=traces.filter(user_id=user_id).values("id"))
    if tags := [tag for text in params.getlist("traceTags") for tag in text.split(",") if tag]:
        scores = scores.filter(trace_id__in=traces.filter(tags__contains=tags).values("id"))
    if params.get("value"):
        scores = scores.filter(_compared(params.get("operator") or "=", params["value"]))
    if start := query_time(request, "fromTimestamp"):
        scores = scores.filter(timestamp__gte=start)
    if end := query_time(request, "toTimestamp"):
        scores = scores.filter(timestamp__lt=end)
    given = conditions.parse(params.get("filter"))
    return conditions.narrow(scores, given, SCORE_COLUMNS, traces=traces.all())


def _compared(operator, text):
    if operator not in _OPERATORS:
        raise ValidationError({"operator": f"{operator!r} is none of {', '.join(_OPERATORS)}."})
    condition = Q(**{f"value__{_OPERATORS[operator]}": parse_number(text, "value")})
    return ~condition if operator in ("!=", "<>") else condition

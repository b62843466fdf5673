"""Observations over the API: pages (generation 1) and cursors with field groups (generation 2)."""

from django.core.exceptions import ValidationError
from django.http import Http404
from rest_framework.response import Response
from rest_framework.views import APIView

from evalapp.core.api import page_of, query_int, query_time
from evalapp.core.pagination import cursor_rows
from evalapp.traces import conditions, wire
from evalapp.traces.conditions import OBSERVATION_COLUMNS
from evalapp.traces.models import Level, ObservationType


class ObservationList(APIView):
    """Observations of generation 1, newest first."""

    def get(self, request):
        rows = _filtered(request).order_by("-start_time", "-id")
        return page_of(rows, request, lambda page: [wire.observation_json(row) for row in page])


class ObservationDetail(APIView):
    """One observation of generation 1, by its id alone; of several traces' the newest."""

    def get(self, request, observation_id):
        found = request.auth.project.observations.filter(id=observation_id).order_by("-start_time").first()
        if found is None:
            raise Http404(f"Observation {observation_id} not found within authorized project")
        return Response(wire.observation_json(found))


class ObservationListV2(APIView):
    """Observations of generation 2, newest first, in the asked field groups."""

    def get(self, request):
        params, project = request.query_params, request.auth.project
        if params.get("parseIoAsJson", "").lower() == "true":
            raise ValidationError({"parseIoAsJson": "Input and output are given as text; parse them yourself."})
        limit = query_int(request, "limit", 50, minimum=1, maximum=1000)
        groups = _groups(params.get("fields"))
        order = ("-start_time", "-id", "-trace_id")
        rows, cursor = cursor_rows(_filtered(request), params.get("cursor"), order, limit)
        needs_trace = {"basic", "trace_context"} & set(groups)
        traces = project.traces.in_bulk_by_id({row.trace_id for row in rows}) if needs_trace else {}
        expand = set(params.get("expandMetadata", "").split(","))
        data = [
            wire.observation_v2_json(row, groups=groups, trace=traces.get(row.trace_id), expand=expand)
            for row in rows
        ]
        return Response({"data": data, "meta": {"limit": limit} | ({"cursor": cursor} if cursor else {})})


def _groups(text):
    groups = [group for group in text.split(",") if group] if text else ["core", "basic"]
    if unknown := set(groups) - set(wire.OBSERVATION_GROUPS):
        message = f"{sorted(unknown)[0]!r} is no group; use {', '.join(wire.OBSERVATION_GROUPS)}."
        raise ValidationError({"fields": message})
    return groups


def _filtered(request):
    params, project = request.query_params, request.auth.project
    rows = project.observations.all()
    for parameter, column in (("name", "name"), ("traceId", "trace_id"), ("version", "version")):
        if value := params.get(parameter):
            rows = rows.filter(**{column: value})
    for parameter, choices in (("type", ObservationType), ("level", Level)):
        if value := params.get(parameter):
            if value not in choices.values:
                raise ValidationError({parameter: f"{value!r} is none of {', '.join(choices.values)}."})
            rows = rows.filter(**{parameter: value})
    for parameter, column in (("userId", "user_id"), ("sessionId", "session_id")):
        if value := params.get(parameter):
            rows = rows.filter(trace_id__in=project.traces.filter(**{column: value}).values("id"))
    if "parentObservationId" in params:
        parent = params["parentObservationId"]
        rows = rows.filter(parent_id=parent) if parent else rows.filter(parent_id=None)
    if (is_root := params.get("isRootObservation", "").lower()) in ("true", "false"):
        rows = rows.filter(is_root=is_root == "true")
    if environments := params.getlist("environment"):
        rows = rows.filter(environment__in=environments)
    if start := query_time(request, "fromStartTime"):
        rows = rows.filter(start_time__gte=start)
    if end := query_time(request, "toStartTime"):
        rows = rows.filter(start_time__lt=end)
    asked = conditions.parse(params.get("filter"))
    return conditions.narrow(rows, asked, OBSERVATION_COLUMNS, traces=project.traces.all())

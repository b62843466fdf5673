"""Traces and sessions over the API (generation 1)."""

from django.core.exceptions import ValidationError
from django.http import Http404
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from evalapp.core.api import page_of, query_time
from evalapp.traces import actions, conditions, wire
from evalapp.traces.conditions import TRACE_COLUMNS

_ORDERS = {
    "timestamp": "timestamp",
    "name": "name",
    "id": "id",
    "userId": "user_id",
    "sessionId": "session_id",
    "latency": "end_time",
    "totalCost": "total_cost",
    "createdAt": "created_at",
    "updatedAt": "updated_at",
}


def no_scores(project, trace_ids):
    """Return {trace id: scores}. The scores app lies above this one; evalapp/api_urls.py puts its reader here."""
    return {}


class TraceList(APIView):
    """GET lists traces with the ids of their observations and scores; DELETE removes the named ones."""

    scores_of = staticmethod(no_scores)

    def get(self, request):
        groups = _groups(request)
        traces = _ordered(_filtered(request), request.query_params.get("orderBy"))

        def serialise(rows):
            project, ids = request.auth.project, [trace.id for trace in rows]
            scores = self.scores_of(project, ids) if "scores" in groups else {}
            observations = _observation_ids(project, rows) if "observations" in groups else {}
            roots = project.observations.roots_of(rows) if "io" in groups else {}
            return [
                wire.trace_json(
                    trace,
                    groups=groups,
                    root=roots.get(trace.id),
                    observations=observations.get(trace.id, []),
                    scores=[score["id"] for score in scores.get(trace.id, [])],
                )
                for trace in rows
            ]

        return page_of(traces, request, serialise)

    def delete(self, request):
        data = TraceIds(data=request.data)
        data.is_valid(raise_exception=True)
        actions.delete_traces(project=request.auth.project, ids=data.validated_data["traceIds"])
        return Response({"message": "Traces deleted successfully"})


class TraceIds(serializers.Serializer):
    """Which traces to delete."""

    traceIds = serializers.ListField(
        child=serializers.CharField(max_length=255), allow_empty=False, max_length=1000
    )


class TraceDetail(APIView):
    """One trace with its observations and scores."""

    scores_of = staticmethod(no_scores)

    def get(self, request, trace_id):
        project, groups = request.auth.project, _groups(request)
        trace = _find(project, trace_id)
        observations = list(project.observations.of_trace(trace))
        root = next((row for row in observations if row.id == trace.root_observation_id), None)
        return Response(
            wire.trace_json(
                trace,
                groups=groups,
                root=root,
                observations=[wire.observation_json(row) for row in observations]
                if "observations" in groups
                else [],
                scores=self.scores_of(project, [trace.id]).get(trace.id, []) if "scores" in groups else [],
            )
        )

    def delete(self, request, trace_id):
        _find(request.auth.project, trace_id)
        actions.delete_traces(project=request.auth.project, ids=[trace_id])
        return Response({"message": "Trace deleted successfully"})


class SessionList(APIView):
    """Sessions, newest first."""

    def get(self, request):
        sessions = request.auth.project.sessions.order_by("-first_seen", "-id")
        if start := query_time(request, "fromTimestamp"):
            sessions = sessions.filter(first_seen__gte=start)
        if end := query_time(request, "toTimestamp"):
            sessions = sessions.filter(first_seen__lt=end)
        if environments := request.query_params.getlist("environment"):
            sessions = sessions.filter(environment__in=environments)
        return page_of(sessions, request, lambda rows: [wire.session_json(row) for row in rows])


class SessionDetail(APIView):
    """One session with its traces, oldest first."""

    def get(self, request, session_id):
        project = request.auth.project
        session = project.sessions.filter(id=session_id).first()
        if session is None:
            raise Http404(f"Session {session_id} not found within authorized project")
        traces = list(project.traces.filter(session_id=session_id).order_by("timestamp", "id"))
        roots = project.observations.roots_of(traces)
        groups = wire.TRACE_GROUPS
        rows = [wire.trace_json(trace, groups=groups, root=roots.get(trace.id)) for trace in traces]
        return Response(wire.session_json(session) | {"traces": rows})


def _find(project, trace_id):
    trace = project.traces.filter(id=trace_id).first()
    if trace is None:
        raise Http404(f"Trace {trace_id} not found within authorized project")
    return trace


def _groups(request):
    text = request.query_params.get("fields")
    groups = [group for group in text.split(",") if group] if text else list(wire.TRACE_GROUPS)
    if unknown := set(groups) - set(wire.TRACE_GROUPS):
        message = f"{sorted(unknown)[0]!r} is no group; use {', '.join(wire.TRACE_GROUPS)}."
        raise ValidationError({"fields": message})
    return groups


def _filtered(request):
    params, traces = request.query_params, request.auth.project.traces.all()
    for parameter, column in (
        ("userId", "user_id"),
        ("name", "name"),
        ("sessionId", "session_id"),
        ("version", "version"),
        ("release", "release"),
    ):
        if value := params.get(parameter):
            traces = traces.filter(**{column: value})
    if start := query_time(request, "fromTimestamp"):
        traces = traces.filter(timestamp__gte=start)
    if end := query_time(request, "toTimestamp"):
        traces = traces.filter(timestamp__lt=end)
    if tags := params.getlist("tags"):
        traces = traces.filter(tags__contains=tags)
    if environments := params.getlist("environment"):
        traces = traces.filter(environment__in=environments)
    return conditions.narrow(traces, conditions.parse(params.get("filter")), TRACE_COLUMNS)


def _ordered(traces, text):
    name, _, direction = (text or "timestamp.desc").partition(".")
    if name not in _ORDERS or direction not in ("asc", "desc"):
        message = f"{text!r} is no order; use one of {', '.join(_ORDERS)} with .asc or .desc."
        raise ValidationError({"orderBy": message})
    sign = "-" if direction == "desc" else ""
    return traces.order_by(sign + _ORDERS[name], sign + "id")


def _observation_ids(project, traces):
    ids = {}
    for trace_id, observation_id in project.observations.of_traces(traces).values_list("trace_id", "id"):
        ids.setdefault(trace_id, []).append(observation_id)
    return ids

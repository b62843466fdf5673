"""Dataset runs and experiments over the API: two generations of one thing."""

from datetime import timedelta
from urllib.parse import unquote

from django.core.exceptions import ValidationError
from django.db.models import Count, Max, Min, Q
from django.db.models.functions import Coalesce
from django.http import Http404
from django.utils.timezone import now
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from evalapp.core import payload
from evalapp.core.api import (
    JSONValue,
    Text,
    cursor_meta,
    iso,
    page_of,
    query_cursor,
    query_fields,
    query_int,
    query_list,
    query_time,
)
from evalapp.datasets.api import DatasetList, dataset_json, items_json
from evalapp.experiments import actions
from evalapp.experiments.filters import conditions
from evalapp.scores.api_v3 import score_json

_LIMIT = {"minimum": 1, "maximum": 100}
_SCORE_LIMIT = {"minimum": 1, "maximum": 50}
_CLOCK = timedelta(days=1)


class RunItemInput(serializers.Serializer):
    """One item's turn in a run; the run is created by its first item and described by the last."""

    runName = Text()
    runDescription = Text(required=False, allow_null=True, allow_blank=True)
    metadata = JSONValue()
    datasetItemId = Text(max_length=255)
    traceId = Text(required=False, allow_null=True, allow_blank=True, max_length=255)
    observationId = Text(required=False, allow_null=True, allow_blank=True, max_length=255)
    datasetVersion = serializers.DateTimeField(required=False, allow_null=True)
    createdAt = serializers.DateTimeField(required=False, allow_null=True)


def run_json(run):
    """Return a run in the shape of generation 1."""
    return {
        "id": run.key,
        "name": run.name,
        "description": run.description,
        "metadata": _stored(run.metadata),
        "datasetId": run.dataset_id,
        "datasetName": run.dataset.name,
        "createdAt": iso(run.created_at),
        "updatedAt": iso(run.updated_at),
    }


def run_item_json(item):
    """Return a run item in the shape of generation 1."""
    return {
        "id": item.id,
        "datasetRunId": item.run.key,
        "datasetRunName": item.run.name,
        "datasetItemId": item.item_id,
        "traceId": item.trace_id,
        "observationId": item.observation_id,
        "createdAt": iso(item.created_at),
        "updatedAt": iso(item.updated_at),
    }


def store_run_item(project, body):
    """Store a run item that a client sent, by itself or as an event of a batch, and return its row."""
    data = RunItemInput(data=body)
    data.is_valid(raise_exception=True)
    values = data.validated_data
    return actions.record_run_item(
        project=project,
        item=_find_item(project, values["datasetItemId"], values.get("datasetVersion")),
        run_name=values["runName"],
        trace_id=values.get("traceId") or _trace_of(project, values.get("observationId")),
        observation_id=values.get("observationId") or None,
        description=values.get("runDescription"),
        metadata=values.get("metadata"),
        version=values.get("datasetVersion"),
        created_at=values.get("createdAt"),
    )


class OldDatasetList(APIView):
    """The list of generation 1: datasets with the ids of their items and the names of their runs."""

    def get(self, request):
        actions.read_spans(project=request.auth.project)
        datasets = request.auth.project.datasets.order_by("-created_at", "id")
        return page_of(datasets, request, _old_datasets_json)

    def post(self, request):
        response = DatasetList().post(request)
        return Response({**response.data, "items": [], "runs": []})


class DatasetOrRuns(APIView):
    """All below `datasets/`: {name}, {name}/runs and {name}/runs/{run}.

    Names may hold "/runs/" themselves, and the server sees decoded slashes. So the split at which something
    exists is taken; where the web server hands on the raw path, that decides.
    """

    def get(self, request, rest):
        actions.read_spans(project=request.auth.project)
        dataset, run_name = _split(request, rest)
        if run_name is None:
            runs = [run.name for run in dataset.runs.order_by("-created_at", "-pk")]
            items = dataset.items.current().active().newest_first().select_related("dataset")
            return Response({**dataset_json(dataset), "items": items_json(items, request), "runs": runs})
        if run_name == "":
            runs = dataset.runs.select_related("dataset").order_by("-created_at", "-pk")
            return page_of(runs, request, lambda rows: [run_json(row) for row in rows])
        run = _find_run(dataset, run_name)
        items = [run_item_json(item) for item in _items_of(run)]
        return Response({**run_json(run), "datasetRunItems": items})

    def delete(self, request, rest):
        actions.read_spans(project=request.auth.project)
        dataset, run_name = _split(request, rest)
        if not run_name:
            self.http_method_not_allowed(request)
        actions.delete_run(run=_find_run(dataset, run_name))
        return Response({"message": "Dataset run successfully deleted"})


class RunItemList(APIView):
    """GET lists the items of one run; POST links a trace to an item and a run."""

    def get(self, request):
        dataset_id, run_name = (request.query_params.get(name) for name in ("datasetId", "runName"))
        if not dataset_id or not run_name:
            raise ValidationError({"runName": "Send datasetId and runName."})
        actions.read_spans(project=request.auth.project)
        dataset = request.auth.project.datasets.filter(pk=dataset_id).first()
        if dataset is None:
            raise Http404("Dataset not found")
        items = _items_of(_find_run(dataset, run_name))
        return page_of(items, request, lambda rows: [run_item_json(row) for row in rows])

    def post(self, request):
        return Response(run_item_json(store_run_item(request.auth.project, request.data)))


class ExperimentList(APIView):
    """GET lists the experiments with activity in the window, the latest activity first."""

    def get(self, request):
        groups = query_fields(request, ("core", "metadata", "scores"), ["core"])
        limit = query_int(request, "limit", 50, **_LIMIT)
        score_limit = query_int(request, "scoreLimit", 50, **_SCORE_LIMIT)
        start, end = _window(request)
        actions.read_spans(project=request.auth.project)
        in_window = Q(items__start_time__gte=start, items__start_time__lt=end)
        runs = request.auth.project.dataset_runs.filter(
            conditions(
                request.query_params.get("filter"), {"id": "key", "name": "name", "datasetId": "dataset_id"}
            )
        )
        for name, field in (("id", "key"), ("name", "name"), ("datasetId", "dataset_id")):
            if (values := query_list(request, name)) is not None:
                runs = runs.filter(**{f"{field}__in": values})
        runs = runs.filter(in_window).annotate(
            starts=Min("items__start_time"),
            ends=Max(Coalesce("items__end_time", "items__start_time")),
            count=Count("items"),
        )
        if after := _numbered_cursor(request):
            runs = runs.filter(Q(ends__lt=after[0]) | Q(ends=after[0], pk__lt=after[1]))
        rows = list(runs.order_by("-ends", "-pk")[: limit + 1])
        last = (rows[limit - 1].ends, rows[limit - 1].pk) if len(rows) > limit else None
        rows = rows[:limit]
        scores = _scores_of_runs(request, rows, score_limit) if "scores" in groups else {}
        data = [_experiment_json(run, groups, scores.get(run.key, [])) for run in rows]
        return Response({"data": data, "meta": cursor_meta(limit, last)})


class ExperimentItemList(APIView):
    """GET lists the items of experiments that started in the window, the newest first."""

    GROUPS = ("core", "dataset", "io", "metadata", "itemMetadata", "experimentMetadata", "scores")
    FILTERS = {
        "experimentId": "run__key",
        "experimentName": "run__name",
        "experimentItemId": "item_id",
        "datasetId": "run__dataset_id",
    }

    def get(self, request):
        groups = query_fields(request, self.GROUPS, ["core", "dataset"])
        limit = query_int(request, "limit", 50, **_LIMIT)
        score_limit = query_int(request, "scoreLimit", 50, **_SCORE_LIMIT)
        start, end = _window(request)
        actions.read_spans(project=request.auth.project)
        items = request.auth.project.dataset_run_items.filter(
            conditions(request.query_params.get("filter"), self.FILTERS), start_time__gte=start, start_time__lt=end
        )
        for name, field in self.FILTERS.items():
            if (values := query_list(request, name)) is not None:
                items = items.filter(**{f"{field}__in": values})
        if after := query_cursor(request):
            items = items.filter(Q(start_time__lt=after[0]) | Q(start_time=after[0], id__lt=str(after[1])))
        rows = list(items.select_related("run").order_by("-start_time", "-id")[: limit + 1])
        last = (rows[limit - 1].start_time, rows[limit - 1].id) if len(rows) > limit else None
        rows = rows[:limit]
        spans = _spans_of(request.auth.project, rows, groups)
        scores = _scores_of_items(request, rows, spans, score_limit) if "scores" in groups else {}
        data = [_experiment_item_json(row, spans.get(row.pk), groups, scores.get(row.pk, [])) for row in rows]
        return Response({"data": data, "meta": cursor_meta(limit, last)})


def _old_datasets_json(rows):
    return [
        {
            **dataset_json(row),
            "items": list(row.items.current().active().newest_first().values_list("item_id", flat=True)),
            "runs": list(row.runs.order_by("-created_at", "-pk").values_list("name", flat=True)),
        }
        for row in rows
    ]


def _split(request, rest):
    """Return (dataset, run name), the name None for the dataset itself and "" for all of its runs."""
    splits = _raw_split(request) or _possible_splits(rest)
    names = {name for name, _ in splits}
    datasets = {dataset.name: dataset for dataset in request.auth.project.datasets.filter(name__in=names)}
    possible = [(datasets[name], run) for name, run in splits if name in datasets]
    for dataset, run_name in possible:
        if not run_name or dataset.runs.filter(name=run_name).exists():
            return dataset, run_name
    if possible:
        raise Http404("Dataset run not found")
    raise Http404("Dataset not found")


def _raw_split(request):
    # gunicorn and uWSGI tell the path as it was sent; granian does not.
    raw = request.META.get("RAW_URI") or request.META.get("REQUEST_URI") or ""
    parts = raw.partition("?")[0].partition("/api/public/datasets/")[2].split("/")
    if len(parts) > 3 or (len(parts) > 1 and parts[1] != "runs") or not parts[0]:
        return []
    return [(unquote(parts[0]), unquote(parts[2]) if len(parts) == 3 else "" if len(parts) == 2 else None)]


def _possible_splits(rest):
    splits, at = [], rest.find("/runs/")
    while at != -1:
        splits.append((rest[:at], rest[at + len("/runs/") :]))
        at = rest.find("/runs/", at + 1)
    if rest.endswith("/runs"):
        splits.append((rest.removesuffix("/runs"), ""))
    return [*splits, (rest, None)]


def _find_run(dataset, name):
    # A custom experiment id may give several runs one name; the newest is meant.
    run = dataset.runs.filter(name=name).select_related("dataset").order_by("-created_at", "-pk").first()
    if run is None:
        raise Http404("Dataset run not found")
    return run


def _items_of(run):
    return run.items.select_related("run").order_by("-created_at", "-id")


def _find_item(project, item_id, version):
    items = project.dataset_items.select_related("dataset").filter(item_id=item_id)
    item = (items.at(version).first() if version else None) or items.current().first()
    if item is None:
        raise Http404("Dataset item not found")
    return item


def _trace_of(project, observation_id):
    if not observation_id:
        raise ValidationError({"traceId": "Send the traceId, or an observationId whose trace is known."})
    # No index leads from an observation alone to its trace; only old clients leave the trace out.
    found = (
        project.observations.filter(id=observation_id).order_by("-start_time").values_list("trace_id", flat=True)
    )
    if not found[:1]:
        raise Http404("Observation not found")
    return found[0]


def _window(request):
    start, end = query_time(request, "fromStartTime"), query_time(request, "toStartTime")
    if start is None:
        raise ValidationError({"fromStartTime": "Send the time from which on to look."})
    return start, end or now() + _CLOCK


def _numbered_cursor(request):
    after = query_cursor(request)
    if after is not None and not isinstance(after[1], int):
        raise ValidationError({"cursor": "This is no cursor of this list."})
    return after


def _experiment_json(run, groups, scores):
    shown = {
        "id": run.key,
        "name": run.name,
        "description": run.description,
        "startTime": iso(run.starts),
        "endTime": iso(run.ends),
        "itemCount": run.count,
        "datasetId": run.dataset_id,
    }
    if "metadata" in groups:
        shown["metadata"] = _object(run.metadata)
    if "scores" in groups:
        shown["scores"] = scores
    return shown


def _experiment_item_json(item, span, groups, scores):
    shown = {
        "id": (span.id if span else item.observation_id) or item.id,
        "traceId": item.trace_id,
        "startTime": iso(span.start_time if span else item.start_time),
        "endTime": iso(span.end_time if span else item.end_time),
        "level": span.level if span else "DEFAULT",
        "environment": span.environment if span else "default",
        "experimentId": item.run.key,
        "experimentName": item.run.name,
        "experimentItemId": item.item_id,
    }
    if "dataset" in groups:
        shown |= {"experimentDatasetId": item.run.dataset_id, "experimentItemVersion": iso(item.item_version)}
    if "io" in groups:
        shown |= {
            "input": payload.parse(span.input) if span else None,
            "output": payload.parse(span.output) if span else None,
            "expectedOutput": _stored(item.expected_output),
        }
    if "metadata" in groups:
        shown["metadata"] = _object(span.metadata) if span else None
    if "itemMetadata" in groups:
        shown["experimentItemMetadata"] = _object(item.item_metadata)
    if "experimentMetadata" in groups:
        shown["experimentMetadata"] = _object(item.run.metadata)
        shown["experimentDescription"] = item.run.description
    if "scores" in groups:
        shown["scores"] = scores
    return shown


def _spans_of(project, items, groups):
    """Return {run item: its span}: the span of its task, or the root of its trace when none was named."""
    if not items:
        return {}
    traces = {item.trace_id for item in items if not item.observation_id}
    roots = dict(project.traces.filter(id__in=traces).values_list("id", "root_observation_id")) if traces else {}
    wanted = {item.pk: (item.trace_id, item.observation_id or roots.get(item.trace_id)) for item in items}
    times = [item.start_time for item in items]
    # Links made by the API know only when they were made; the period keeps the search within few partitions.
    found = project.observations.filter(
        trace_id__in={trace_id for trace_id, _ in wanted.values()},
        id__in={span_id for _, span_id in wanted.values() if span_id},
        start_time__range=(min(times) - _CLOCK, max(times) + _CLOCK),
    )
    if not {"io", "metadata"} & groups:
        found = found.defer("input", "output", "metadata")
    spans = {(span.trace_id, span.id): span for span in found}
    return {pk: spans[place] for pk, place in wanted.items() if place in spans}


def _scores_of_runs(request, runs, limit):
    scores = request.auth.project.scores.filter(dataset_run_id__in=[run.key for run in runs]).newest_first()
    return _grouped(scores, lambda score: [score.dataset_run_id], limit)


def _scores_of_items(request, items, spans, limit):
    """Return the scores of each item's task and those of its whole trace."""
    places = {}
    for item in items:
        span_id = spans[item.pk].id if item.pk in spans else item.observation_id
        for place in {(item.trace_id, ""), (item.trace_id, span_id or "")}:
            places.setdefault(place, []).append(item.pk)
    scores = request.auth.project.scores.filter(trace_id__in={item.trace_id for item in items}).newest_first()
    return _grouped(scores, lambda score: places.get((score.trace_id, score.observation_id), ()), limit)


def _grouped(scores, keys_of, limit):
    groups = {}
    for score in scores:
        for key in keys_of(score):
            group = groups.setdefault(key, [])
            if len(group) < limit:
                group.append(score_json(score))
    return groups


def _object(text):
    """Return JSON text as an object, which the SDKs insist on; another value goes under `metadata`."""
    value = payload.load(text)
    return value if value is None or isinstance(value, dict) else {"metadata": value}


def _stored(text):
    return None if text is None else payload.Stored(text)

"""Scores, their export, and the configs that define the questions."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from evalapp.core.forms import add_errors
from evalapp.core.pagination import keyset_page
from evalapp.projects.access import requires
from evalapp.scores import actions
from evalapp.scores.export import stream_scores
from evalapp.scores.filters import filter_scores
from evalapp.scores.forms import ConfigForm
from evalapp.scores.models import DataType, ScoreConfig, Source

_NAMES_OFFERED = 200
_TRACE_SCORES = 100
_TRACES_A_PAGE = 100


@require_GET
@requires("scores.read")
def score_list(request, project_id):
    scores = filter_scores(request.project.scores.select_related("author"), request.GET)
    page = keyset_page(scores, request.GET, order=("-timestamp", "-id"))
    traces = request.project.traces.filter(id__in={score.trace_id for score in page if score.trace_id})
    known = dict(traces.values_list("id", "name"))
    for score in page:
        score.trace_name = known.get(score.trace_id)
        score.trace_is_known = score.trace_id in known
    context = {
        "page": page,
        "names": request.project.score_configs.order_by("name").values_list("name", flat=True)[:_NAMES_OFFERED],
        "sources": Source.values,
        "types": DataType.choices,
        "filters": {key: request.GET.get(key, "") for key in ("name", "source", "type", "queue", "trace")},
        "query": request.GET.urlencode(),
    }
    return render(request, "scores/score_list.html", context)


@require_GET
@requires("scores.read")
def trace_scores(request, project_id, trace_id):
    """The panel beside a trace; the trace page asks for it, since traces may not know of scores."""
    trace = get_object_or_404(request.project.traces.for_list(), id=trace_id.replace("\0", ""))
    scores = request.project.scores.of_trace(trace.id).select_related("author").newest_first()
    context = {"scores": list(scores[:_TRACE_SCORES]), "trace_id": trace.id}
    return render(request, "scores/trace_scores.html", context)


@require_GET
@requires("scores.read")
def trace_chips(request, project_id):
    """The score column of one page of the trace list, in one query, each cell swapped in by its place."""
    wanted = request.GET.getlist("trace_id")[:_TRACES_A_PAGE]
    chips = request.project.scores.chips_of_traces(wanted)
    return render(request, "scores/trace_chips.html", {"cells": [chips.get(trace_id, []) for trace_id in wanted]})


@require_GET
@requires("scores.read")
def score_export(request, project_id, kind):
    """The scores of the list's filters, as CSV or JSONL."""
    return stream_scores(filter_scores(request.project.scores.all(), request.GET), kind, "scores")


@require_GET
@requires("settings.read")
def config_list(request, project_id):
    configs = request.project.score_configs.order_by("archived_at", "name", "pk")
    return render(request, "scores/config_list.html", {"configs": configs})


@require_http_methods(["GET", "POST"])
@requires("settings.manage")
def config_create(request, project_id):
    form = ConfigForm(request.POST or None, instance=ScoreConfig(project=request.project))
    if form.is_valid():
        try:
            config = actions.create_score_config(project=request.project, by=request.user, **form.cleaned_data)
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, f"Score config “{config.name}” is made.")
            return redirect("scores:config_list", project_id)
    context = {"form": form, "config": None}
    return render(request, "scores/config_form.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "POST"])
@requires("settings.manage")
def config_edit(request, project_id, config_id):
    config = get_object_or_404(request.project.score_configs, pk=config_id)
    form = ConfigForm(request.POST or None, instance=config)
    if form.is_valid():
        stored = get_object_or_404(request.project.score_configs, pk=config_id)
        try:
            actions.update_score_config(stored, by=request.user, **form.cleaned_data)
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, "Saved. Scores that were given keep their values.")
            return redirect("scores:config_list", project_id)
    context = {"form": form, "config": config}
    return render(request, "scores/config_form.html", context, status=422 if form.is_bound else 200)


@require_POST
@requires("settings.manage")
def config_archive(request, project_id, config_id):
    config = get_object_or_404(request.project.score_configs, pk=config_id)
    actions.archive_score_config(config, by=request.user)
    messages.success(request, f"“{config.name}” is archived. It can be restored.")
    return redirect("scores:config_list", project_id)


@require_POST
@requires("settings.manage")
def config_restore(request, project_id, config_id):
    config = get_object_or_404(request.project.score_configs, pk=config_id)
    try:
        actions.restore_score_config(config, by=request.user)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, f"“{config.name}” is in use again.")
    return redirect("scores:config_list", project_id)

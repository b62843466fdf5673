"""Scores, their export, and the configs that define the questions."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from evalapp.core.pagination import keyset_page
from evalapp.projects.access import requires
from evalapp.scores import actions
from evalapp.scores.export import stream_scores
from evalapp.scores.filters import filter_scores
from evalapp.scores.forms import ConfigForm
from evalapp.scores.models import DataType, ScoreConfig, Source

_NAMES_OFFERED = 200


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
            _add_errors(form, error)
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
            _add_errors(form, error)
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


def _add_errors(form, error):
    for field, texts in error.message_dict.items():
        form.add_error(field if field in form.fields else None, texts)

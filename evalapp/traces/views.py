"""Pages on which people find and read traces."""

import orjson
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from evalapp.core.forms import add_errors
from evalapp.core.htmx import render_fragment, wants_fragment
from evalapp.core.pagination import keyset_page
from evalapp.projects.access import requires
from evalapp.traces.actions import define_model, delete_model
from evalapp.traces.filters import TraceFilter
from evalapp.traces.forms import ModelForm
from evalapp.traces.models import Trace
from evalapp.traces.reading import read_payload, read_trace, trace_document

NEWEST_FIRST = ("-timestamp", "-id")
LATEST_SESSION_FIRST = ("-last_seen", "-id")
SESSION_TRACES = 20


@require_safe
@requires("traces.read")
def trace_list(request, project_id):
    """The newest traces, those that the filter in the URL names."""
    filter_ = TraceFilter(request.GET)
    page = keyset_page(filter_.apply(request.project.traces.for_list()), request.GET, NEWEST_FIRST)
    context = {
        "filter": filter_,
        "page": page,
        "is_empty": not page.items and not filter_.is_active and not page.newer_url,
        "host": settings.BASE_URL,
    }
    return render_fragment(request, "traces/trace_list.html", context, fragment="results")


@require_safe
@requires("settings.read")
def connect(request, project_id):
    """How to send traces here, filled in for this project; says when the first one has arrived."""
    key = request.project.api_keys.active().order_by("-created_at").first()
    context = {
        "host": settings.BASE_URL,
        "public_key": key.public_key if key else "",
        "newest": request.project.traces.for_list().newest_first().first(),
    }
    return render_fragment(request, "traces/connect.html", context, fragment="arrival")


@require_safe
@requires("traces.read")
def trace_detail(request, project_id, trace_id):
    """One trace; for htmx only its body, in the view or the part that was asked for."""
    try:
        reading = read_trace(request.project, trace_id, params=request.GET)
    except Trace.DoesNotExist:
        raise Http404("No such trace in this project.") from None
    context = {
        "reading": reading,
        "base_url": reverse("traces:trace_detail", args=[project_id, trace_id]),
        "payload_url": reverse("traces:trace_payload", args=[project_id, trace_id]),
        "download_url": reverse("traces:trace_download", args=[project_id, trace_id]),
    }
    template = "traces/_trace.html"
    if not wants_fragment(request):
        template = "traces/trace_detail.html"
        newer, older = request.project.traces.beside(reading.trace)
        context["newer_url"] = newer and reverse("traces:trace_detail", args=[project_id, newer])
        context["older_url"] = older and reverse("traces:trace_detail", args=[project_id, older])
    response = render(request, template, context)
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_safe
@requires("traces.read")
def trace_download(request, project_id, trace_id):
    """The whole trace as a JSON file."""
    trace = get_object_or_404(request.project.traces, id=_storable(trace_id))
    document = trace_document(request.project, trace, limit=None)
    body = orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS)
    return HttpResponse(body, content_type="application/json", headers=_attachment(trace.id, "json"))


@require_safe
@requires("traces.read")
def trace_payload(request, project_id, trace_id):
    """One input, output or metadata in full, as plain text that no browser interprets; else the root's input."""
    trace = get_object_or_404(request.project.traces, id=_storable(trace_id))
    observation_id = request.GET.get("observation") or trace.root_observation_id or ""
    name = request.GET.get("field", "input")
    text = read_payload(request.project, trace, _storable(observation_id), name)
    if text is None:
        raise Http404("This step has no such payload.")
    return HttpResponse(text, content_type="text/plain; charset=utf-8", headers=_attachment(name, "txt"))


@require_safe
@requires("traces.read")
def session_list(request, project_id):
    """The sessions that were active last."""
    page = keyset_page(request.project.sessions.all(), request.GET, LATEST_SESSION_FIRST)
    summaries = request.project.traces.summarized_by_session([session.id for session in page])
    rows = [(session, summaries.get(session.id)) for session in page]
    return render_fragment(request, "traces/session_list.html", {"page": page, "rows": rows}, fragment="results")


@require_safe
@requires("traces.read")
def session_detail(request, project_id, session_id):
    """A session as one conversation over its traces, oldest first."""
    session = get_object_or_404(request.project.sessions, id=_storable(session_id))
    traces = request.project.traces.of_session(session.id)
    page = keyset_page(traces, request.GET, ("timestamp", "id"), size=SESSION_TRACES)
    urls = [reverse("traces:trace_detail", args=[project_id, trace.id]) for trace in page]
    readings = [(read_trace(request.project, trace.id), url) for trace, url in zip(page, urls, strict=True)]
    context = {"session": session, "page": page, "readings": readings}
    return render_fragment(request, "traces/session_detail.html", context, fragment="results")


def _storable(text):
    """PostgreSQL stores no NUL; an id that holds one names nothing."""
    if "\0" in text:
        raise Http404("No such id.")
    return text


def _attachment(name, suffix):
    safe = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "-_") else "-" for letter in name)
    return {
        "Content-Disposition": f'attachment; filename="{safe[:80] or "trace"}.{suffix}"',
        "X-Content-Type-Options": "nosniff",
    }


@require_safe
@requires("settings.read")
def model_list(request, project_id):
    """What the project pays for its own models."""
    return _models_page(request, ModelForm())


@require_POST
@requires("settings.manage")
def model_define(request, project_id):
    return _define_model(request, ModelForm(request.POST))


@require_http_methods(["GET", "POST"])
@requires("settings.manage")
def model_edit(request, project_id, model_id):
    model = get_object_or_404(request.project.model_definitions, pk=model_id)
    if request.method == "GET":
        return _models_page(request, ModelForm(initial=ModelForm.values_of(model)), edited=model)
    return _define_model(request, ModelForm(request.POST), edited=model)


@require_POST
@requires("settings.manage")
def model_delete(request, project_id, model_id):
    delete_model(model=get_object_or_404(request.project.model_definitions, pk=model_id), by=request.user)
    return redirect("traces:model_list", request.project.pk)


def _define_model(request, form, edited=None):
    if form.is_valid():
        try:
            define_model(
                project=request.project,
                name=form.cleaned_data["name"],
                match_pattern=form.cleaned_data["match_pattern"],
                prices=form.prices(edited),
                by=request.user,
                model=edited,
            )
            return redirect("traces:model_list", request.project.pk)
        except ValidationError as error:
            add_errors(form, error)
    return _models_page(request, form, edited=edited, status=422)


def _models_page(request, form, *, edited=None, status=200):
    models = request.project.model_definitions.newest_first()
    context = {"models": models, "form": form, "edited": edited}
    return render(request, "traces/model_list.html", context, status=status)

"""Queues: the list, their settings and what is in them."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.text import slugify
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from annotation import actions
from annotation.forms import QueueForm
from annotation.models import AnnotationQueue
from annotation.views.reviewing import find_queue, queues_of
from evalapp.core.forms import add_errors
from evalapp.core.pagination import keyset_page
from evalapp.projects.access import requires
from evalapp.scores.export import stream_scores


@require_GET
@requires("queues.read")
def queue_list(request, project_id):
    queues = queues_of(request).with_progress(request.user).prefetch_related("reviewers", "fields__config")
    page = keyset_page(queues, request.GET, order=("-created_at", "-id"))
    for queue in page:
        queue.is_mine = not queue.reviewers.all() or request.user in queue.reviewers.all()
    return render(request, "annotation/queue_list.html", {"page": page})


@require_http_methods(["GET", "POST"])
@requires("queues.manage")
def queue_create(request, project_id):
    form = _form(request, AnnotationQueue(project=request.project))
    if form.is_valid():
        try:
            queue = actions.create_queue(project=request.project, by=request.user, **form.cleaned_data)
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, f"Queue “{queue.name}” is made. Now add traces to it.")
            return redirect("annotation:queue_detail", project_id, queue.pk)
    context = {"form": form, "queue": None}
    return render(request, "annotation/queue_form.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "POST"])
@requires("queues.manage")
def queue_edit(request, project_id, queue_id):
    queue = find_queue(request, queue_id)
    form = _form(request, queue)
    if form.is_valid():
        stored = find_queue(request, queue_id)
        try:
            actions.update_queue(stored, by=request.user, **form.cleaned_data)
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, "Saved.")
            return redirect("annotation:queue_detail", project_id, queue_id)
    context = {"form": form, "queue": queue}
    return render(request, "annotation/queue_form.html", context, status=422 if form.is_bound else 200)


@require_POST
@requires("queues.manage")
def queue_delete(request, project_id, queue_id):
    queue = find_queue(request, queue_id)
    actions.delete_queue(queue, by=request.user)
    messages.success(request, f"Queue “{queue.name}” is deleted. Its scores are kept.")
    return redirect("annotation:queue_list", project_id)


_QUEUES_OFFERED = 200
STATUSES = {
    "open": ("Open", Q(completed_at=None)),
    "completed": ("Completed", Q(completed_at__isnull=False)),
}


@require_GET
@requires("queues.read")
def queue_detail(request, project_id, queue_id):
    """The items of a queue, in order."""
    queue = get_object_or_404(queues_of(request).with_progress(request.user), pk=queue_id)
    status = request.GET.get("status", "")
    items = queue.items.filter(STATUSES[status][1]) if status in STATUSES else queue.items.all()
    page = keyset_page(items, request.GET, order=("position", "id"))
    reviews = {}
    for review in queue.reviews.filter(item__in=[item.pk for item in page]).select_related("reviewer"):
        reviews.setdefault(review.item_id, []).append(review)
    traces = {
        trace.id: trace
        for trace in request.project.traces.filter(id__in=[item.trace_id or item.object_id for item in page])
    }
    for item in page:
        item.people = reviews.get(item.pk, [])
        item.trace = traces.get(item.trace_id or item.object_id)
    context = {
        "queue": queue,
        "page": page,
        "status": status,
        "statuses": [(key, label) for key, (label, _) in STATUSES.items()],
        "may_review": actions.may_review(queue, request.user),
    }
    return render(request, "annotation/queue_detail.html", context)


@require_GET
@requires("queues.fill")
def queue_picker(request, project_id):
    """The options of the trace list's select, which asks for them when something is ticked."""
    queues = request.project.annotation_queues.order_by("name").values_list("pk", "name")[:_QUEUES_OFFERED]
    return render(request, "annotation/queue_picker.html", {"queues": queues})


@require_POST
@requires("queues.fill")
def items_add(request, project_id):
    """Add the traces ticked in a list to the queue that the form names."""
    back = _back(request) or reverse("traces:trace_list", args=[project_id])
    queue = request.project.annotation_queues.filter(pk=request.POST.get("queue", "")).first()
    wanted = list(dict.fromkeys(request.POST.getlist("trace_id")))
    if queue is None or not wanted:
        messages.error(request, "Select traces, and the queue to add them to.")
        return redirect(back)
    try:
        known = set(request.project.traces.filter(id__in=wanted).values_list("id", flat=True))
        added, there_already = actions.add_items(
            queue, object_ids=[id for id in wanted if id in known], by=request.user
        )
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect(back)
    parts = [f"{len(added)} added to “{queue.name}”."]
    if there_already:
        parts.append(f"{there_already} {'was' if there_already == 1 else 'were'} in it already.")
    if len(wanted) > len(known):
        parts.append(f"{len(wanted) - len(known)} no longer exist.")
    messages.success(request, " ".join(parts))
    return redirect("annotation:queue_detail", project_id, queue.pk)


def _back(request):
    url = request.POST.get("next", "")
    return url if url_has_allowed_host_and_scheme(url, {request.get_host()}, request.is_secure()) else ""


@require_POST
@requires("queues.fill")
def items_remove(request, project_id, queue_id):
    queue = find_queue(request, queue_id)
    removed = actions.remove_items(queue, item_ids=request.POST.getlist("item_id"), by=request.user)
    messages.success(request, f"{removed} {'item' if removed == 1 else 'items'} removed. Scores are kept.")
    return redirect("annotation:queue_detail", project_id, queue_id)


@require_GET
@requires("queues.export")
def queue_export(request, project_id, queue_id, kind):
    """The notes and scores of a queue, as CSV or JSONL."""
    queue = find_queue(request, queue_id)
    if kind not in ("csv", "jsonl"):
        raise Http404("Exports are csv or jsonl.")
    scores = request.project.scores.filter(queue_id=queue.pk)
    return stream_scores(scores, kind, f"{slugify(queue.name) or 'queue'}-scores")


def _form(request, queue):
    return QueueForm(request.POST or None, instance=queue, project=request.project)

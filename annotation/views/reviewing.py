"""The review page: one item, its fields, and the ways to the next one."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from annotation import actions
from annotation.actions import DraftConflict, PlaceTaken
from annotation.reviewing import end_of_queue, find_reading, read_answers, workspace
from evalapp.core.htmx import render_fragment, wants_fragment
from evalapp.projects.access import allows, requires


def queues_of(request):
    """Return the queues that this member may see: readers all, reviewers those that are open to them."""
    queues = request.project.annotation_queues
    return queues.all() if allows(request.membership, "traces.read") else queues.open_to(request.user)


def find_queue(request, queue_id):
    queue = get_object_or_404(queues_of(request), pk=queue_id)
    queue.project = request.project
    return queue


def _find_review(request, queue_id, item_id):
    """The reviewer's own review of an item, with everything that acting on it needs, in one query."""
    reviews = request.project.reviews.filter(queue__in=queues_of(request).filter(pk=queue_id))
    review = get_object_or_404(reviews.select_related("queue", "item"), item_id=item_id, reviewer=request.user)
    review.reviewer, review.item.queue = request.user, review.queue
    review.queue.project = request.project
    return review


def _may_review(request, queue):
    return allows(request.membership, "queues.review") and actions.may_review(queue, request.user)


@require_GET
@requires("queues.read")
def review_next(request, project_id, queue_id):
    """Reserve the next item and go there; without one, say how the queue stands."""
    queue = find_queue(request, queue_id)
    if _may_review(request, queue):
        review = actions.reserve_next_item(queue, reviewer=request.user, put_aside="put_aside" in request.GET)
        if review is not None:
            return redirect("annotation:review_item", project_id, queue_id, review.item_id)
    return _answer_end(request, queue)


@require_GET
@requires("queues.read")
def review_item(request, project_id, queue_id, item_id):
    queue = find_queue(request, queue_id)
    item = queue.items.filter(pk=item_id).first()
    if item is None:
        return render(request, "annotation/item_gone.html", {"queue": queue}, status=404)
    if request.GET.keys() & {"view", "part", "observation", "from"} and wants_fragment(request):
        return _answer_trace(request, item)
    review = actions.open_item(item, reviewer=request.user) if _may_review(request, queue) else None
    return _answer(request, queue, item, review)


@require_GET
@requires("queues.read")
def review_go(request, project_id, queue_id):
    """Go to item number n of the queue."""
    queue = find_queue(request, queue_id)
    number = request.GET.get("number", "")
    index = int(number) - 1 if number.isascii() and number.isdigit() and len(number) < 9 else -1
    item = next(iter(queue.items.in_order()[index : index + 1]), None) if index >= 0 else None
    if item is None:
        messages.warning(request, f"There is no item {number[:20]} in this queue.")
        return redirect("annotation:review_next", project_id, queue_id)
    return redirect("annotation:review_item", project_id, queue_id, item.pk)


@require_POST
@requires("queues.review")
def review_complete(request, project_id, queue_id, item_id):
    review = _find_review(request, queue_id, item_id)
    typed = read_answers(review.queue, request.POST)
    try:
        actions.complete(review, **typed)
    except ValidationError as error:
        errors = {field: " ".join(texts) for field, texts in error.message_dict.items()}
        return _answer(request, review.queue, review.item, review, typed=typed, errors=errors, status=422)
    except DraftConflict as conflict:
        return _answer(request, review.queue, review.item, conflict.review, typed=typed, conflict=True, status=422)
    except PlaceTaken as taken:
        actions.keep_draft(taken.review, **_without_version(typed))
        messages.warning(
            request, "Others reviewed that item while your reservation had run out. Your text is kept with it."
        )
    return _go_on(request, review.queue)


@require_POST
@requires("queues.review")
def review_skip(request, project_id, queue_id, item_id):
    review = _keep_typed(request, _find_review(request, queue_id, item_id))
    actions.skip(review, reason=request.POST.get("reason", ""))
    return _go_on(request, review.queue, besides=review.item)


@require_POST
@requires("queues.review")
def review_defer(request, project_id, queue_id, item_id):
    review = _keep_typed(request, _find_review(request, queue_id, item_id))
    actions.defer(review)
    return _go_on(request, review.queue, besides=review.item)


@require_POST
@requires("queues.review")
def review_undo(request, project_id, queue_id):
    queue = find_queue(request, queue_id)
    review = actions.undo(queue, reviewer=request.user)
    if review is None:
        messages.info(request, "There is nothing to undo.")
        return _go_on(request, queue)
    return _go_to(request, queue, review)


@require_POST
@requires("queues.review")
def review_draft(request, project_id, queue_id, item_id):
    """Autosave: 200 with the save state, 409 with the stored text when another tab was first."""
    review = _find_review(request, queue_id, item_id)
    typed = read_answers(review.queue, request.POST)
    try:
        review = actions.save_draft(review, **typed)
    except DraftConflict as conflict:
        context = {"work": workspace(review.queue, review.item, conflict.review, reviewer=request.user)}
        response = render(request, "annotation/_conflict.html", context, status=409)
        response["X-Draft-Version"] = conflict.review.draft_version
        return response
    response = render(request, "annotation/_saved.html", {"review": review})
    response["X-Draft-Version"] = review.draft_version
    return response


@require_POST
@requires("queues.review")
def review_heartbeat(request, project_id, queue_id, item_id):
    """The page is open and seen: keep its reservation."""
    actions.renew(_find_review(request, queue_id, item_id))
    return HttpResponse(status=204)


def _without_version(typed):
    return {name: value for name, value in typed.items() if name != "version"}


def _keep_typed(request, review):
    """Save what was in the form when it was put aside; a newer draft of another tab stays."""
    typed = read_answers(review.queue, request.POST)
    try:
        return actions.save_draft(review, **typed)
    except DraftConflict as conflict:
        if typed["client"] and conflict.review.draft.get("client") == typed["client"]:
            actions.keep_draft(review, **_without_version(typed))
        return review


def _go_on(request, queue, besides=None):
    """Answer with the next item: to htmx at once, to a plain form by redirect."""
    review = actions.reserve_next_item(queue, reviewer=request.user, besides=besides)
    if review is None and not wants_fragment(request):
        return redirect(reverse("annotation:review_end", args=[queue.project_id, queue.pk]))
    return _answer_end(request, queue) if review is None else _go_to(request, queue, review)


def _go_to(request, queue, review):
    url = reverse("annotation:review_item", args=[queue.project_id, queue.pk, review.item_id])
    if not wants_fragment(request):
        return redirect(url)
    response = _answer(request, queue, review.item, review)
    response["HX-Push-Url"] = url
    return response


def _answer(request, queue, item, review, *, typed=None, errors=None, conflict=False, status=200):
    work = workspace(queue, item, review, reviewer=request.user, typed=typed, errors=errors)
    context = {
        "queue": queue,
        "work": work,
        "reading": find_reading(item, request.GET),
        "may_review": review is not None or _may_review(request, queue),
        "is_swap": wants_fragment(request),
    }
    if conflict:
        context["stored"] = workspace(queue, item, review, reviewer=request.user)
    return render_fragment(request, "annotation/review_item.html", context, fragment="workspace", status=status)


def _answer_trace(request, item):
    context = {"reading": find_reading(item, request.GET), "base_url": request.path}
    return render(request, "traces/_trace.html", context)


@require_GET
@requires("queues.read")
def review_end(request, project_id, queue_id):
    return _answer_end(request, find_queue(request, queue_id))


def _answer_end(request, queue):
    context = {
        "queue": queue,
        "end": end_of_queue(queue, request.user),
        "may_review": _may_review(request, queue),
        "is_swap": wants_fragment(request),
    }
    response = render_fragment(request, "annotation/review_end.html", context, fragment="workspace")
    if wants_fragment(request):
        response["HX-Push-Url"] = reverse("annotation:review_end", args=[queue.project_id, queue.pk])
    return response

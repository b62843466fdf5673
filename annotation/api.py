"""Annotation queues over the API: as Langfuse has them, and what it lacks.

Beyond Langfuse: a queue is changed and deleted, items are added in bulk and found by object, people are assigned
by e-mail, and an item says who has reviewed it.
"""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation import actions
from annotation.models import ObjectType, QueueOrder, ReviewState
from evalapp.core.api import Text, iso, page_of
from evalapp.projects.access import allows

_STATUSES = ("PENDING", "COMPLETED")
_SETTINGS = {
    "name": "name",
    "description": "description",
    "instructions": "instructions",
    "reviewersPerItem": "reviewers_per_item",
    "reservationMinutes": "reservation_minutes",
    "order": "order",
    "orderSeed": "order_seed",
}
_SEEDS = {"min_value": -(2**31), "max_value": 2**31 - 1}


class QueueChange(serializers.Serializer):
    """What can be changed of a queue."""

    name = Text(required=False, max_length=100)
    description = Text(required=False, allow_null=True, allow_blank=True)
    instructions = Text(required=False, allow_null=True, allow_blank=True)
    scoreConfigIds = serializers.ListField(child=Text(), required=False, allow_empty=False, max_length=100)
    reviewersPerItem = serializers.IntegerField(required=False, min_value=1, max_value=20)
    reservationMinutes = serializers.IntegerField(required=False, min_value=1, max_value=24 * 60)
    order = serializers.ChoiceField(QueueOrder.values, required=False)
    orderSeed = serializers.IntegerField(required=False, **_SEEDS)


class QueueInput(QueueChange):
    """A new queue."""

    name = Text(max_length=100)
    scoreConfigIds = serializers.ListField(child=Text(), allow_empty=False, max_length=100)


class ItemInput(serializers.Serializer):
    """One object for a queue."""

    objectId = Text(max_length=255)
    objectType = serializers.ChoiceField(ObjectType.values)
    status = serializers.ChoiceField(_STATUSES, required=False, allow_null=True)


class SampleInput(serializers.Serializer):
    """How many of the objects are chosen at random; the same seed chooses the same ones again."""

    size = serializers.IntegerField(min_value=1)
    seed = serializers.IntegerField(default=0, **_SEEDS)


class BulkInput(serializers.Serializer):
    """Many objects for a queue: items of any kind, or ids of one kind."""

    items = ItemInput(many=True, required=False)
    objectIds = serializers.ListField(child=Text(max_length=255), required=False)
    objectType = serializers.ChoiceField(ObjectType.values, default=ObjectType.TRACE)
    sample = SampleInput(required=False, allow_null=True)


class StatusInput(serializers.Serializer):
    """An item's new status."""

    status = serializers.ChoiceField(_STATUSES)


class PersonInput(serializers.Serializer):
    """A member of the project, by id or by e-mail."""

    userId = Text(required=False)
    email = serializers.EmailField(required=False)


def queue_json(queue):
    """Return a queue in the API's shape."""
    return {
        "id": queue.pk,
        "projectId": queue.project_id,
        "name": queue.name,
        "description": queue.description or None,
        "instructions": queue.instructions or None,
        "scoreConfigIds": [field.config_id for field in queue.fields.all()],
        "reviewersPerItem": queue.reviewers_per_item,
        "reservationMinutes": queue.reservation_minutes,
        "order": queue.order,
        "orderSeed": queue.order_seed,
        "assignments": [{"userId": str(user.pk), "email": user.email} for user in queue.reviewers.all()],
        "createdAt": iso(queue.created_at),
        "updatedAt": iso(queue.updated_at),
    }


def item_json(item):
    """Return a queue item, with those who have reviewed it."""
    reviews = [review for review in item.reviews.all() if review.state == ReviewState.COMPLETED]
    reviews.sort(key=lambda review: (review.finished_at, review.pk))
    changes = [item.created_at, item.completed_at, *(review.finished_at for review in item.reviews.all())]
    return {
        "id": item.pk,
        "queueId": item.queue_id,
        "objectId": item.object_id,
        "objectType": item.object_type,
        "traceId": item.trace_id or (item.object_id if item.object_type == ObjectType.TRACE else None),
        "inclusionProbability": item.inclusion_probability,
        "status": "COMPLETED" if item.completed_at else "PENDING",
        "completedAt": iso(item.completed_at),
        "annotatorUserId": str(reviews[-1].reviewer_id) if reviews else None,
        "annotators": [
            {
                "userId": str(review.reviewer_id),
                "email": review.reviewer.email,
                "name": review.reviewer.name,
                "completedAt": iso(review.finished_at),
            }
            for review in reviews
        ],
        "createdAt": iso(item.created_at),
        "updatedAt": iso(max(moment for moment in changes if moment)),
    }


class QueueList(APIView):
    """GET lists queues, newest first; POST makes one."""

    def get(self, request):
        queues = request.auth.project.annotation_queues.order_by("-created_at", "-pk")
        queues = queues.prefetch_related("fields", "reviewers")
        return page_of(queues, request, lambda rows: [queue_json(row) for row in rows])

    def post(self, request):
        values = _valid(QueueInput, request)
        fields = _fields(request.auth.project, values["scoreConfigIds"])
        settings = _settings(values)
        queue = actions.create_queue(project=request.auth.project, by=request.auth, fields=fields, **settings)
        return Response(queue_json(queue))


class QueueDetail(APIView):
    """One queue; PATCH changes what is sent, DELETE removes it with its items and reviews. Scores stay."""

    def get(self, request, queue_id):
        return Response(queue_json(_find_queue(request, queue_id)))

    def patch(self, request, queue_id):
        queue = _find_queue(request, queue_id)
        values = _valid(QueueChange, request)
        if not values:
            raise ValidationError(f"Nothing to change. Send one of {', '.join(QueueChange().fields)}.")
        fields = None
        if "scoreConfigIds" in values:
            required = dict(queue.fields.values_list("config_id", "required"))
            fields = _fields(request.auth.project, values["scoreConfigIds"], required)
        actions.update_queue(queue, by=request.auth, fields=fields, **_settings(values))
        return Response(queue_json(_find_queue(request, queue_id)))

    def delete(self, request, queue_id):
        actions.delete_queue(_find_queue(request, queue_id), by=request.auth)
        return Response({"success": True, "message": "Annotation queue deleted successfully"})


class ItemList(APIView):
    """GET lists the items of a queue, newest first; POST adds one, or many at once."""

    def get(self, request, queue_id):
        items = _find_queue(request, queue_id).items.order_by("-created_at", "-position")
        params = request.query_params
        if status := params.get("status"):
            if status not in _STATUSES:
                raise ValidationError({"status": f"{status!r} is none of {', '.join(_STATUSES)}."})
            items = items.filter(completed_at__isnull=status == "PENDING")
        if object_id := params.get("objectId"):
            items = items.filter(object_id=object_id)
        if object_type := params.get("objectType"):
            items = items.filter(object_type=object_type)
        items = items.prefetch_related("reviews__reviewer")
        return page_of(items, request, lambda rows: [item_json(row) for row in rows])

    @transaction.atomic
    def post(self, request, queue_id):
        queue = _find_queue(request, queue_id)
        if isinstance(request.data, dict) and {"items", "objectIds"} & request.data.keys():
            return Response(_add_many(queue, _valid(BulkInput, request), by=request.auth))
        values = _valid(ItemInput, request)
        object_type, object_id = values["objectType"], values["objectId"]
        _add(queue, object_type, [object_id], by=request.auth)
        item = queue.items.get(object_type=object_type, object_id=object_id)
        if values.get("status"):
            actions.set_item_status(item, completed=values["status"] == "COMPLETED", by=request.auth)
        return Response(item_json(_find_item(queue, item.pk)))


class ItemDetail(APIView):
    """One item; PATCH closes or opens it, DELETE takes it out of the queue."""

    def get(self, request, queue_id, item_id):
        return Response(item_json(_find_item(_find_queue(request, queue_id), item_id)))

    def patch(self, request, queue_id, item_id):
        queue = _find_queue(request, queue_id)
        item = _find_item(queue, item_id)
        completed = _valid(StatusInput, request)["status"] == "COMPLETED"
        actions.set_item_status(item, completed=completed, by=request.auth)
        return Response(item_json(_find_item(queue, item_id)))

    def delete(self, request, queue_id, item_id):
        queue = _find_queue(request, queue_id)
        actions.remove_items(queue, item_ids=[_find_item(queue, item_id).pk], by=request.auth)
        return Response({"success": True, "message": "Annotation queue item deleted successfully"})


class Assignments(APIView):
    """POST names a reviewer of the queue, DELETE takes one off. A queue that names nobody is open to all."""

    def post(self, request, queue_id):
        queue = _find_queue(request, queue_id)
        membership = _find_member(request)
        if not allows(membership, "queues.review"):
            raise ValidationError({"userId": f"As a {membership.role}, {membership.user.email} may not review."})
        actions.assign(queue, reviewer=membership.user, by=request.auth)
        shown = {"userId": str(membership.user_id), "queueId": queue.pk, "projectId": queue.project_id}
        return Response(shown)

    def delete(self, request, queue_id):
        queue = _find_queue(request, queue_id)
        actions.unassign(queue, reviewer=_find_member(request).user, by=request.auth)
        return Response({"success": True})


def _valid(serializer, request):
    data = serializer(data=request.data)
    data.is_valid(raise_exception=True)
    return data.validated_data


def _settings(values):
    settings = {column: values[name] for name, column in _SETTINGS.items() if name in values}
    for column in ("description", "instructions"):
        if column in settings:
            settings[column] = settings[column] or ""
    return settings


def _fields(project, config_ids, required=()):
    """Return (config, required) in the order of the ids; `required` keeps what is set for some of them."""
    configs = project.score_configs.active().in_bulk(config_ids)
    if lost := [id for id in config_ids if id not in configs]:
        raise ValidationError({"scoreConfigIds": f"There is no active score config {lost[0]!r} in this project."})
    required = dict(required)
    return [(configs[id], required.get(id, False)) for id in dict.fromkeys(config_ids)]


def _find_queue(request, queue_id):
    queue = request.auth.project.annotation_queues.filter(pk=queue_id).first()
    if queue is None:
        raise Http404(f"Annotation queue {queue_id} not found within authorized project")
    return queue


def _find_item(queue, item_id):
    item = queue.items.filter(pk=item_id).prefetch_related("reviews__reviewer").first()
    if item is None:
        raise Http404(f"Annotation queue item {item_id} not found in queue {queue.pk}")
    return item


def _find_member(request):
    values = _valid(PersonInput, request)
    if ("userId" in values) == ("email" in values):
        raise ValidationError({"userId": "Name somebody by userId or by email."})
    members = request.auth.project.memberships.select_related("user")
    if "email" in values:
        membership = members.filter(user__email__iexact=values["email"]).first()
    else:
        # Ids of people are numbers here; any other text names nobody.
        text = values["userId"]
        is_number = text.isascii() and text.isdecimal() and len(text) < 19
        membership = members.filter(user_id=int(text)).first() if is_number else None
    if membership is None:
        raise Http404(f"No member of this project is {values.get('email') or values['userId']!r}.")
    return membership


def _add_many(queue, values, *, by):
    """Add objects of several kinds and return what became of them."""
    items = values.get("items", [])
    ids = {}
    for item in items:
        ids.setdefault(item["objectType"], []).append(item["objectId"])
    if values.get("objectIds"):
        ids.setdefault(values["objectType"], []).extend(values["objectIds"])
    sample = values.get("sample")
    if sample and len(ids) > 1:
        raise ValidationError({"sample": f"A sample is of one kind; these are {', '.join(ids)}."})
    added, existing = [], 0
    for object_type, object_ids in ids.items():
        new, known = _add(queue, object_type, object_ids, by=by, sample=sample)
        added, existing = added + new, existing + known
    for item in items:
        if item.get("status") == "COMPLETED":
            # The sample may have left it out.
            found = queue.items.filter(object_type=item["objectType"], object_id=item["objectId"]).first()
            if found:
                actions.set_item_status(found, completed=True, by=by)
    rows = queue.items.filter(pk__in=added).in_order().prefetch_related("reviews__reviewer")
    return {"added": len(added), "existing": existing, "items": [item_json(row) for row in rows]}


def _add(queue, object_type, object_ids, *, by, sample=None):
    try:
        return actions.add_items(queue, object_ids=object_ids, by=by, object_type=object_type, sample=sample)
    except ValidationError as error:
        if hasattr(error, "error_dict"):
            raise Http404(" ".join(error.messages)) from error
        raise ValidationError({"objectIds": error.messages}) from error

"""Annotation queues over the public API."""

from django.core.exceptions import ValidationError
from django.db.models import F
from django.http import Http404
from django.shortcuts import get_object_or_404
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation import actions
from annotation.models import ObjectType
from evalapp.core.api import iso, page_of

_STATUSES = ("PENDING", "COMPLETED")


def queue_json(queue):
    return {
        "id": queue.pk,
        "name": queue.name,
        "description": queue.description or None,
        "scoreConfigIds": [field.config_id for field in queue.fields.all()],
        "createdAt": iso(queue.created_at),
        "updatedAt": iso(queue.updated_at),
    }


def item_json(item):
    return {
        "id": item.pk,
        "queueId": item.queue_id,
        "objectId": item.object_id,
        "objectType": item.object_type,
        "status": "COMPLETED" if item.completed_at else "PENDING",
        "completedAt": iso(item.completed_at),
        "createdAt": iso(item.created_at),
        "updatedAt": iso(max(item.created_at, item.completed_at or item.created_at)),
    }


class QueueList(APIView):
    """GET lists the queues, newest first; POST makes one."""

    def get(self, request):
        queues = request.auth.project.annotation_queues.prefetch_related("fields")
        rows = queues.order_by("-created_at", "-id")
        return page_of(rows, request, lambda page: [queue_json(queue) for queue in page])

    def post(self, request):
        body, project = _object(request), request.auth.project
        ids = body.get("scoreConfigIds")
        if not isinstance(ids, list) or not all(isinstance(id, str) for id in ids):
            raise ValidationError({"scoreConfigIds": "A list of ids of score configs."})
        configs = project.score_configs.active().in_bulk(ids)
        missing = [id for id in ids if id not in configs]
        if missing:
            raise ValidationError({"scoreConfigIds": f"There is no score config {missing[0]!r} in use."})
        queue = actions.create_queue(
            project=project,
            by=request.auth,
            name=_text(body, "name", 100),
            description=_text(body, "description", 10_000),
            fields=[(configs[id], False) for id in dict.fromkeys(ids)],
        )
        return Response(queue_json(queue))


class QueueDetail(APIView):
    def get(self, request, queue_id):
        return Response(queue_json(_queue(request, queue_id)))


class ItemList(APIView):
    """GET lists a queue's items, newest first; POST adds one, or returns the one that is there."""

    def get(self, request, queue_id):
        items = _queue(request, queue_id).items.order_by(F("position").desc())
        if status := request.query_params.get("status"):
            if status not in _STATUSES:
                raise ValidationError({"status": "PENDING or COMPLETED."})
            items = items.filter(completed_at__isnull=status == "PENDING")
        return page_of(items, request, lambda page: [item_json(item) for item in page])

    def post(self, request, queue_id):
        queue, body = _queue(request, queue_id), _object(request)
        kind, object_id = body.get("objectType"), _text(body, "objectId", 255)
        if kind not in ObjectType.values or not object_id:
            raise ValidationError({"objectType": "Send objectId, and objectType TRACE, OBSERVATION or SESSION."})
        trace_id = ""
        if kind == ObjectType.OBSERVATION:
            rows = request.auth.project.observations.filter(id=object_id)
            trace_id = rows.values_list("trace_id", flat=True).first()
            if trace_id is None:
                raise Http404(f"Observation {object_id} not found within authorized project")
        actions.add_items(queue, object_ids=[object_id], object_type=kind, trace_id=trace_id, by=request.auth)
        item = queue.items.get(object_type=kind, object_id=object_id)
        if _status(body, None) == "COMPLETED":
            item = actions.set_item_status(item, completed=True, by=request.auth)
        return Response(item_json(item))


class ItemDetail(APIView):
    def get(self, request, queue_id, item_id):
        return Response(item_json(_item(request, queue_id, item_id)))

    def patch(self, request, queue_id, item_id):
        item, status = _item(request, queue_id, item_id), _status(_object(request), None)
        if status is not None:
            item = actions.set_item_status(item, completed=status == "COMPLETED", by=request.auth)
        return Response(item_json(item))

    def delete(self, request, queue_id, item_id):
        item = _item(request, queue_id, item_id)
        actions.remove_items(item.queue, item_ids=[item.pk], by=request.auth)
        return Response({"success": True, "message": "Annotation queue item deleted successfully"})


class Assignments(APIView):
    """POST names a reviewer of the queue, DELETE takes the name off."""

    def post(self, request, queue_id):
        queue, person = self._find(request, queue_id)
        reviewers = set(queue.reviewers.all()) | {person}
        actions.update_queue(queue, by=request.auth, reviewers=reviewers)
        return Response({"userId": str(person.pk), "queueId": queue.pk, "projectId": queue.project_id})

    def delete(self, request, queue_id):
        queue, person = self._find(request, queue_id)
        reviewers = set(queue.reviewers.all()) - {person}
        actions.update_queue(queue, by=request.auth, reviewers=reviewers)
        return Response({"success": True})

    def _find(self, request, queue_id):
        queue, user_id = _queue(request, queue_id), _text(_object(request), "userId", 20)
        members = request.auth.project.memberships.select_related("user")
        membership = members.filter(user_id=int(user_id)).first() if user_id.isdecimal() else None
        if membership is None:
            raise Http404(f"User {user_id} not found within authorized project")
        return queue, membership.user


def _queue(request, queue_id):
    return get_object_or_404(request.auth.project.annotation_queues, pk=queue_id)


def _item(request, queue_id, item_id):
    return get_object_or_404(_queue(request, queue_id).items.select_related("queue__project"), pk=item_id)


def _object(request):
    if not isinstance(request.data, dict):
        raise ValidationError("Send a JSON object.")
    return request.data


def _text(body, name, limit):
    value = body.get(name) or ""
    if not isinstance(value, str) or len(value) > limit or "\0" in value:
        raise ValidationError({name: f"A string of at most {limit} characters."})
    return value


def _status(body, default):
    status = body.get("status", default)
    if status is not None and status not in _STATUSES:
        raise ValidationError({"status": "PENDING or COMPLETED."})
    return status

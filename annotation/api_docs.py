"""What the API's document says about annotation queues."""

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from annotation import api
from annotation.models import ObjectType, QueueOrder
from evalapp.core.api import Text
from evalapp.core.openapi import Message, document, one_of, operation, page, paging, path_text, text_query

_QUEUE_ID = path_text("queue_id", "Id of the queue.", "queue-1")
_ITEM_ID = path_text("item_id", "Id of the item in the queue.", "item-1")
_STATUSES = ["PENDING", "COMPLETED"]


class AssigneeOutput(serializers.Serializer):
    """Somebody who is asked to review."""

    userId = Text()
    email = Text()


class QueueOutput(serializers.Serializer):
    """An annotation queue."""

    id = Text()
    projectId = Text()
    name = Text()
    description = Text(allow_null=True)
    instructions = Text(allow_null=True)
    scoreConfigIds = serializers.ListField(child=Text())
    reviewersPerItem = serializers.IntegerField()
    reservationMinutes = serializers.IntegerField()
    order = serializers.ChoiceField(QueueOrder.values)
    orderSeed = serializers.IntegerField()
    assignments = AssigneeOutput(many=True)
    createdAt = serializers.DateTimeField()
    updatedAt = serializers.DateTimeField()

    EXAMPLE = {
        "id": "queue-1",
        "projectId": "support-agent",
        "name": "Refunds",
        "description": None,
        "instructions": None,
        "scoreConfigIds": ["config-1"],
        "reviewersPerItem": 1,
        "reservationMinutes": 15,
        "order": "oldest",
        "orderSeed": 0,
        "assignments": [],
        "createdAt": "2026-11-20T12:00:00.000Z",
        "updatedAt": "2026-11-20T12:00:00.000Z",
    }


class AnnotatorOutput(AssigneeOutput):
    """Somebody who has reviewed an item."""

    name = Text()
    completedAt = serializers.DateTimeField()


class QueueItemOutput(serializers.Serializer):
    """Something in a queue that is to be reviewed, or was."""

    id = Text()
    queueId = Text()
    objectId = Text()
    objectType = serializers.ChoiceField(ObjectType.values)
    traceId = Text(allow_null=True)
    inclusionProbability = serializers.FloatField(allow_null=True)
    status = serializers.ChoiceField(_STATUSES)
    completedAt = serializers.DateTimeField(allow_null=True)
    annotatorUserId = Text(allow_null=True)
    annotators = AnnotatorOutput(many=True)
    createdAt = serializers.DateTimeField()
    updatedAt = serializers.DateTimeField()

    EXAMPLE = {
        "id": "item-1",
        "queueId": "queue-1",
        "objectId": "4bf92f3577b34da6a3ce929d0e0e4736",
        "objectType": "TRACE",
        "traceId": "4bf92f3577b34da6a3ce929d0e0e4736",
        "inclusionProbability": None,
        "status": "PENDING",
        "completedAt": None,
        "annotatorUserId": None,
        "annotators": [],
        "createdAt": "2026-11-20T12:00:00.000Z",
        "updatedAt": "2026-11-20T12:00:00.000Z",
    }


class QueueItemsAddedOutput(serializers.Serializer):
    """What many objects became: new items, or ones that the queue had already."""

    added = serializers.IntegerField()
    existing = serializers.IntegerField()
    items = QueueItemOutput(many=True)


class RemovedOutput(Message):
    """That a queue or an item of it is gone."""

    success = serializers.BooleanField()

    EXAMPLE = {"success": True, "message": "Annotation queue item deleted successfully"}


class AssignmentOutput(serializers.Serializer):
    """Who reviews in a queue."""

    userId = Text()
    queueId = Text()
    projectId = Text()

    EXAMPLE = {"userId": "7", "queueId": "queue-1", "projectId": "support-agent"}


class UnassignedOutput(serializers.Serializer):
    """That somebody no longer reviews in a queue."""

    success = serializers.BooleanField()

    EXAMPLE = {"success": True}


# Items of datasets have the plain name.
extend_schema_serializer(component_name="QueueItemInput")(api.ItemInput)

document(
    api.QueueList,
    tag="Annotation queues",
    get=operation("listQueues", "List queues, newest first", answers=page(QueueOutput), query=paging()),
    post=operation(
        "createQueue",
        "Make a queue",
        about="`order` is in which order items are handed out; a random one is the same for the same `orderSeed`.",
        body=api.QueueInput,
        answers=QueueOutput,
        example={"name": "Refunds of November", "scoreConfigIds": ["config-1"]},
    ),
)
document(
    api.QueueDetail,
    tag="Annotation queues",
    get=operation("getQueue", "Get a queue", answers=QueueOutput, path=[_QUEUE_ID]),
    patch=operation(
        "changeQueue",
        "Change a queue",
        about="Another `order` or `orderSeed` applies to the items that are in the queue, too.",
        body=api.QueueChange,
        answers=QueueOutput,
        path=[_QUEUE_ID],
        example={"description": "Refunds that customers complained about."},
    ),
    delete=operation(
        "deleteQueue",
        "Delete a queue with its items and reviews; the scores stay",
        answers=RemovedOutput,
        path=[path_text("queue_id", "Id of the queue.", "queue-2")],
    ),
)
document(
    api.ItemList,
    tag="Annotation queues",
    get=operation(
        "listQueueItems",
        "List the items of a queue, newest first",
        answers=page(QueueItemOutput),
        path=[_QUEUE_ID],
        query=[
            *paging(),
            text_query("status", "With this status.", choices=_STATUSES),
            text_query("objectId", "The item of this object."),
            text_query("objectType", "Of this kind.", choices=ObjectType.values),
        ],
    ),
    post=operation(
        "addQueueItem",
        "Put one or many objects into a queue",
        about="What is there already is answered as it is. `items` or `objectIds` add many at once; with `sample`,"
        " only `size` of them, chosen at random and the same ones again for the same `seed` (0 unless given)."
        " Their `inclusionProbability` is the size of the sample divided by the number of distinct objects given.",
        body=one_of("QueueItemOrItems", [api.ItemInput, api.BulkInput]),
        answers=one_of("QueueItemOrItemsAdded", [QueueItemOutput, QueueItemsAddedOutput], QueueItemOutput.EXAMPLE),
        path=[_QUEUE_ID],
        example={"objectType": "TRACE", "objectId": "4bf92f3577b34da6a3ce929d0e0e4736"},
    ),
)
document(
    api.ItemDetail,
    tag="Annotation queues",
    get=operation("getQueueItem", "Get an item", answers=QueueItemOutput, path=[_QUEUE_ID, _ITEM_ID]),
    patch=operation(
        "changeQueueItem",
        "Complete an item, or open it again",
        body=api.StatusInput,
        answers=QueueItemOutput,
        path=[_QUEUE_ID, _ITEM_ID],
        example={"status": "COMPLETED"},
    ),
    delete=operation(
        "removeQueueItem",
        "Take an item out of its queue",
        answers=RemovedOutput,
        path=[_QUEUE_ID, path_text("item_id", "Id of the item in the queue.", "item-2")],
    ),
)
document(
    api.Assignments,
    tag="Annotation queues",
    post=operation(
        "assignReviewer",
        "Name a reviewer of a queue",
        body=api.PersonInput,
        answers=AssignmentOutput,
        path=[_QUEUE_ID],
        example={"userId": "7"},
    ),
    delete=operation(
        "unassignReviewer",
        "Take a reviewer off a queue",
        body=api.PersonInput,
        answers=UnassignedOutput,
        path=[_QUEUE_ID],
        example={"userId": "7"},
    ),
)

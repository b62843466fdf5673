"""This app's part of the public API."""

from django.urls import path

from annotation import api

_QUEUE = "annotation-queues/<str:queue_id>"
urlpatterns = [
    path("annotation-queues", api.QueueList.as_view(), name="api_annotation_queues"),
    path(_QUEUE, api.QueueDetail.as_view(), name="api_annotation_queue"),
    path(f"{_QUEUE}/items", api.ItemList.as_view(), name="api_queue_items"),
    path(f"{_QUEUE}/items/<str:item_id>", api.ItemDetail.as_view(), name="api_queue_item"),
    path(f"{_QUEUE}/assignments", api.Assignments.as_view(), name="api_queue_assignments"),
]

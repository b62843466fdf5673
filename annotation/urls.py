"""Pages of this app, below /project/<project_id>/."""

from django.urls import path

from annotation.views import queues, reviewing

app_name = "annotation"
_QUEUE = "annotation-queues/<str:queue_id>"
urlpatterns = [
    path("annotation-queues", queues.queue_list, name="queue_list"),
    path("annotation-queues/new", queues.queue_create, name="queue_create"),
    path("annotation-queues/items/add", queues.items_add, name="items_add"),
    path("annotation-queues/picker", queues.queue_picker, name="queue_picker"),
    path(_QUEUE, queues.queue_detail, name="queue_detail"),
    path(f"{_QUEUE}/edit", queues.queue_edit, name="queue_edit"),
    path(f"{_QUEUE}/delete", queues.queue_delete, name="queue_delete"),
    path(f"{_QUEUE}/export.<str:kind>", queues.queue_export, name="queue_export"),
    path(f"{_QUEUE}/items/remove", queues.items_remove, name="items_remove"),
    path(f"{_QUEUE}/items", reviewing.review_next, name="review_next"),
    path(f"{_QUEUE}/done", reviewing.review_end, name="review_end"),
    path(f"{_QUEUE}/go", reviewing.review_go, name="review_go"),
    path(f"{_QUEUE}/undo", reviewing.review_undo, name="review_undo"),
    path(f"{_QUEUE}/items/<str:item_id>", reviewing.review_item, name="review_item"),
    path(f"{_QUEUE}/items/<str:item_id>/draft", reviewing.review_draft, name="review_draft"),
    path(f"{_QUEUE}/items/<str:item_id>/heartbeat", reviewing.review_heartbeat, name="review_heartbeat"),
    path(f"{_QUEUE}/items/<str:item_id>/complete", reviewing.review_complete, name="review_complete"),
    path(f"{_QUEUE}/items/<str:item_id>/skip", reviewing.review_skip, name="review_skip"),
    path(f"{_QUEUE}/items/<str:item_id>/defer", reviewing.review_defer, name="review_defer"),
]

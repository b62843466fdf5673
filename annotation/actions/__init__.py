"""What can be done with queues and reviews; each name is explained where it is defined."""

from annotation.actions.places import may_review, open_item, reserve_next_item, set_item_status
from annotation.actions.queues import (
    ITEMS_AT_ONCE,
    add_items,
    assign,
    create_queue,
    delete_queue,
    remove_items,
    unassign,
    update_queue,
)
from annotation.actions.reviews import (
    DraftConflict,
    PlaceTaken,
    complete,
    defer,
    keep_draft,
    renew,
    save_draft,
    skip,
    undo,
)

__all__ = [
    "ITEMS_AT_ONCE",
    "DraftConflict",
    "PlaceTaken",
    "add_items",
    "assign",
    "complete",
    "create_queue",
    "defer",
    "delete_queue",
    "keep_draft",
    "may_review",
    "open_item",
    "remove_items",
    "renew",
    "reserve_next_item",
    "save_draft",
    "set_item_status",
    "skip",
    "unassign",
    "undo",
    "update_queue",
]

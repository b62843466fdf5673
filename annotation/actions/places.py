"""Who reads which item.

Every change of a review locks its item first, so that the item's places are counted by one at a time. A place is
taken by a completed review, or by a reservation while its lease runs.
"""

from contextlib import contextmanager, suppress

from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.utils.timezone import now

from annotation.models import (
    AnnotationQueue,
    QueueItem,
    Review,
    ReviewState,
)
from evalapp.projects.actions import audit


@transaction.atomic
def reserve_next_item(queue, *, reviewer, besides=None, put_aside=False):
    """Return the Review of the item that `reviewer` reads next, reserved; None when nothing is left for them.

    First what they had begun, then the first item with a free place, then what they deferred, then what they
    skipped. An item that was put aside twice comes only when asked for (`put_aside`). `besides` is an item that
    they just put aside, which must not be the very next one.
    """
    check_reviewer(queue, reviewer)
    one_at_a_time(queue, reviewer)
    mine = queue.reviews.filter(reviewer=reviewer)
    begun = mine.filter(state=ReviewState.RESERVED, item__completed_at=None).order_by("started_at", "pk")
    for review in begun.select_related("item"):
        review.queue = review.item.queue = queue
        review.reviewer = reviewer
        if hold(review):
            return review
    if not put_aside and (item := _first_free_item(queue, reviewer)):
        item.queue = queue
        return begin(item, reviewer)
    waiting = mine.put_aside().filter(item__completed_at=None).exclude(item=besides)
    if not put_aside:
        waiting = waiting.filter(times_put_aside=1)
    # "deferred" sorts before "skipped".
    for review in waiting.select_related("item").order_by("state", "finished_at"):
        review.queue = review.item.queue = queue
        review.reviewer = reviewer
        if hold(review):
            return review
    return None


@transaction.atomic
def open_item(item, *, reviewer):
    """Return the reviewer's Review of one item, reserving a free place for it; None when there is none.

    A review that they finished or put aside is returned as it is: looking at it changes nothing.
    """
    check_reviewer(item.queue, reviewer)
    one_at_a_time(item.queue, reviewer)
    item = lock_item(item)
    review = item.reviews.filter(reviewer=reviewer).first()
    if review is None:
        free = item.completed_at is None and has_place(item, reviewer)
        return begin(item, reviewer) if free else None
    if review.state == ReviewState.RESERVED and item.completed_at is None:
        hold(review)
    return review


@transaction.atomic
def set_item_status(item, *, completed, by=None):
    """Close an item without a review, or open it again: what programs do over the API.

    Opened again, its completed reviews make room: their scores and drafts stay, and they can be completed anew.
    """
    item = lock_item(item)
    if completed:
        item.completed_at = item.completed_at or now()
    else:
        item.completed_at, item.available_from = None, now()
        item.reviews.filter(state=ReviewState.COMPLETED).update(
            state=ReviewState.RESERVED, reserved_until=now(), updated_at=now()
        )
    item.save(update_fields=["completed_at", "available_from"])
    audit(project=item.queue.project, by=by, action="complete" if completed else "reopen", target=item)
    return item


def may_review(queue, user):
    """Whether the queue is open to this person: it names them, or names nobody."""
    named = set(
        AnnotationQueue.reviewers.through.objects.filter(annotationqueue=queue).values_list("user", flat=True)
    )
    return not named or user.pk in named


def check_reviewer(queue, reviewer):
    """Raise PermissionDenied for whom the queue does not name."""
    if not may_review(queue, reviewer):
        raise PermissionDenied("This queue is assigned to other reviewers.")


def one_at_a_time(queue, reviewer):
    """Serialise what one person does in a queue, so that two tabs don't reserve two items."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 7))", [f"review {queue.pk} {reviewer.pk}"]
        )


def _first_free_item(queue, reviewer):
    """Lock and return the first item, in the queue's order, that has a place and that this reviewer hasn't had.

    PostgreSQL tests `available_from` again on the row that it locked, so nobody gets a place that was taken
    between reading and locking; items that others are just locking are passed over.
    """
    mine = queue.reviews.filter(reviewer=reviewer).values("item_id")
    free = queue.items.available().exclude(pk__in=mine).in_order()
    item = free.select_for_update(skip_locked=True, no_key=True).first()
    if item is not None:
        return item
    # Of an item with several places, one may stay free after whoever is locking it: so wait before giving up.
    with unless_vain() as kept:
        kept.item = free.select_for_update(no_key=True).first()
        kept.check(kept.item is not None)
    return kept.item


def lock_item(item):
    """Return the item, locked until the transaction ends."""
    # NO KEY: the rows that refer to the item may be written meanwhile.
    locked = QueueItem.objects.select_for_update(no_key=True).get(pk=item.pk)
    locked.queue = item.queue
    return locked


def fresh_review(review, item):
    """Read the review again, now that its item is locked."""
    review.refresh_from_db(
        fields=[
            "state",
            "reserved_until",
            "draft",
            "draft_version",
            "finished_version",
            "finished_at",
            "reason",
            "times_put_aside",
        ]
    )
    review.item = item
    return review


def has_place(item, reviewer):
    """Whether the locked item has a place for this reviewer, who may hold one already."""
    others = item.reviews.holding().exclude(reviewer=reviewer).count()
    return others < item.queue.reviewers_per_item


def begin(item, reviewer):
    """Make the reviewer's reserved Review of the locked item."""
    review = Review.objects.create(
        project_id=item.project_id,
        queue=item.queue,
        item=item,
        reviewer=reviewer,
        reserved_until=now() + item.queue.lease,
    )
    settle("i.id = %s", [item.pk])
    return review


def hold(review):
    """Reserve the item for an unfinished review, and return whether it had a place."""
    # Most of those without a place are found without waiting for a lock.
    if not has_place(review.item, review.reviewer):
        return False
    with unless_vain() as held:
        item = lock_item(review.item)
        review.refresh_from_db(fields=["state", "reserved_until"])
        held.check(review.state != ReviewState.COMPLETED and has_place(item, review.reviewer))
        review.state, review.reserved_until = ReviewState.RESERVED, now() + item.queue.lease
        review.save(update_fields=["state", "reserved_until", "updated_at"])
        settle("i.id = %s", [item.pk])
    return held.succeeded


class _Vain(Exception):
    pass


class _Attempt:
    """Whether a block of `unless_vain` got to its end."""

    succeeded = False

    def check(self, condition):
        if not condition:
            raise _Vain
        self.succeeded = True


@contextmanager
def unless_vain():
    """Run a block in a savepoint and give up its row locks when its check fails.

    A transaction that kept the locks of items that it only looked at would deadlock with those who look too.
    """
    attempt = _Attempt()
    with suppress(_Vain), transaction.atomic():
        yield attempt


def settle(condition, params):
    """Write down, on the items, what their reviews make of their places and their completion."""
    moment = now()
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE annotation_queueitem AS i
            SET completed_at = CASE WHEN r.completed >= q.reviewers_per_item
                                    THEN coalesce(i.completed_at, %s) END,
                available_from = CASE WHEN r.completed + r.reserved >= q.reviewers_per_item
                                      THEN coalesce(r.first_end, %s) ELSE %s END
            FROM annotation_annotationqueue AS q, annotation_queueitem AS j
            LEFT JOIN LATERAL (
                SELECT count(*) FILTER (WHERE state = 'completed') AS completed,
                       count(*) FILTER (WHERE state = 'reserved' AND reserved_until > %s) AS reserved,
                       min(reserved_until) FILTER (WHERE state = 'reserved' AND reserved_until > %s) AS first_end
                FROM annotation_review WHERE item_id = j.id
            ) AS r ON true
            WHERE q.id = i.queue_id AND j.id = i.id AND {condition}
            """,
            [moment, moment, moment, moment, moment, *params],
        )

"""Filling queues and reviewing what is in them.

Every change of a review locks its item first, so that the item's places are counted by one at a time. A place is
taken by a completed review, or by a reservation while its lease runs.
"""

from contextlib import contextmanager, suppress

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.models import F, Max
from django.utils.dateparse import parse_datetime
from django.utils.timezone import now

from annotation import answers as answering
from annotation.models import (
    ActionKind,
    AnnotationQueue,
    ObjectType,
    QueueItem,
    QueueScoreConfig,
    Review,
    ReviewAction,
    ReviewState,
)
from evalapp.core.ids import new_id
from evalapp.projects.actions import audit, audit_update
from evalapp.projects.models import User
from evalapp.scores.actions import build_score, human_score_id, restore_scores, save_scores, snapshot_scores
from evalapp.scores.models import Source

ITEMS_AT_ONCE = 5_000


class DraftConflict(Exception):
    """Somebody (the same person in another tab) saved the draft meanwhile; `review` is as it is stored."""

    def __init__(self, review):
        super().__init__("The draft was changed elsewhere.")
        self.review = review


class PlaceTaken(Exception):
    """The item has all the reviewers it needs; the draft was kept. `review` is as it is stored."""

    def __init__(self, review):
        super().__init__("Others have reviewed this item meanwhile.")
        self.review = review


@transaction.atomic
def create_queue(*, project, by, fields=(), reviewers=(), **settings):
    """Create a queue; `fields` are (score config, required) in order. Raises ValidationError, keyed by field."""
    queue = AnnotationQueue(project=project, created_by=by if isinstance(by, User) else None, **settings)
    _save_queue(queue, force_insert=True)
    _set_fields(queue, fields)
    queue.reviewers.set(reviewers)
    audit(project=project, by=by, action="create", target=queue, after=_described(queue))
    return queue


@transaction.atomic
def update_queue(queue, *, by, fields=None, reviewers=None, **settings):
    """Change a queue, also while people work on it: reviews and scores that exist are kept."""
    places, before = queue.reviewers_per_item, _described(queue)
    for name, value in settings.items():
        setattr(queue, name, value)
    _save_queue(queue)
    if fields is not None:
        _set_fields(queue, fields)
    if reviewers is not None:
        queue.reviewers.set(reviewers)
    if queue.reviewers_per_item != places:
        _settle("i.queue_id = %s", [queue.pk])
    audit_update(project=queue.project, by=by, target=queue, before=before, after=_described(queue))
    return queue


@transaction.atomic
def assign(queue, *, reviewer, by):
    """Name somebody among the queue's reviewers."""
    if not queue.reviewers.filter(pk=reviewer.pk).exists():
        queue.reviewers.add(reviewer)
        audit(project=queue.project, by=by, action="assign", target=queue, after={"reviewer": reviewer.email})


@transaction.atomic
def unassign(queue, *, reviewer, by):
    """Take somebody off the queue's reviewers; with the last one gone, the queue is open to all who may review."""
    if queue.reviewers.filter(pk=reviewer.pk).exists():
        queue.reviewers.remove(reviewer)
        audit(project=queue.project, by=by, action="unassign", target=queue, before={"reviewer": reviewer.email})


@transaction.atomic
def delete_queue(queue, *, by):
    """Delete a queue with its items and reviews. The scores stay."""
    audit(project=queue.project, by=by, action="delete", target=queue, before=_described(queue))
    queue.delete()


def _described(queue):
    """What the audit log says about a queue."""
    names = ["name", "description", "instructions", "reviewers_per_item", "reservation_minutes"]
    stored = AnnotationQueue.objects.get(pk=queue.pk)
    return {name: getattr(stored, name) for name in names} | {
        "fields": list(stored.fields.values_list("config__name", flat=True)),
        "reviewers": sorted(stored.reviewers.values_list("email", flat=True)),
    }


def _save_queue(queue, **options):
    queue.name = queue.name.strip()
    if not queue.name:
        raise ValidationError({"name": "A queue needs a name."})
    try:
        with transaction.atomic():
            queue.save(**options)
    except IntegrityError as error:
        if "annotation_queue_names_are_unique" in str(error):
            raise ValidationError({"name": f"There is already a queue “{queue.name}”."}) from error
        raise


def _set_fields(queue, fields):
    fields = list(fields)
    if not fields:
        raise ValidationError({"fields": "A queue needs at least one score config."})
    if any(config.project_id != queue.project_id for config, _ in fields):
        raise ValidationError({"fields": "A score config belongs to another project."})
    queue.fields.all().delete()
    QueueScoreConfig.objects.bulk_create(
        QueueScoreConfig(queue=queue, config=config, required=required, position=position)
        for position, (config, required) in enumerate(fields)
    )


@transaction.atomic
def add_items(queue, *, object_ids, by=None, object_type=ObjectType.TRACE):
    """Append objects to a queue, in the order given, and return (added items, how many were there already).

    One statement, however many: an object that is in the queue stays where it is.
    """
    ids = list(dict.fromkeys(object_ids))
    if len(ids) > ITEMS_AT_ONCE:
        raise ValidationError(f"At most {ITEMS_AT_ONCE:,} items can be added at once; these are {len(ids):,}.")
    # The lock orders those who append: positions stay unique without a sequence for every queue.
    AnnotationQueue.objects.select_for_update(no_key=True).get(pk=queue.pk)
    start = (queue.items.aggregate(last=Max("position"))["last"] or 0) + 1
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO annotation_queueitem"
            " (id, project_id, queue_id, object_type, object_id, trace_id, position, available_from, created_at)"
            " SELECT new.id, %s, %s, %s, new.object_id, new.trace_id, %s + new.number, %s, %s"
            " FROM unnest(%s::text[], %s::text[], %s::text[])"
            " WITH ORDINALITY AS new (id, object_id, trace_id, number)"
            " ORDER BY new.number"
            " ON CONFLICT (queue_id, object_type, object_id) DO NOTHING RETURNING id",
            [
                *(queue.project_id, queue.pk, object_type, start, now(), now()),
                *([new_id() for _ in ids], ids, _trace_ids(queue, object_type, ids)),
            ],
        )
        added = [row[0] for row in cursor.fetchall()]
    if added:
        audit(project=queue.project, by=by, action="add items", target=queue, after={"items": len(added)})
    return added, len(ids) - len(added)


def _trace_ids(queue, object_type, ids):
    """Return the trace of each observation, without which it could not be scored; empty for other objects."""
    if object_type != ObjectType.OBSERVATION:
        return [""] * len(ids)
    traces = dict(queue.project.observations.filter(id__in=ids).values_list("id", "trace_id"))
    if lost := [id for id in ids if id not in traces]:
        raise ValidationError({"object_ids": f"There is no observation {lost[0]!r} in this project."})
    return [traces[id] for id in ids]


@transaction.atomic
def remove_items(queue, *, item_ids, by=None):
    """Take items out of a queue, with their reviews and drafts, and return how many. Scores stay."""
    _, counts = queue.items.filter(pk__in=item_ids).delete()
    removed = counts.get("annotation.QueueItem", 0)
    if removed:
        audit(project=queue.project, by=by, action="remove items", target=queue, before={"items": removed})
    return removed


@transaction.atomic
def reserve_next_item(queue, *, reviewer, besides=None, put_aside=False):
    """Return the Review of the item that `reviewer` reads next, reserved; None when nothing is left for them.

    First what they had begun, then the oldest item with a free place, then what they deferred, then what they
    skipped. An item that was put aside twice comes only when asked for (`put_aside`). `besides` is an item that
    they just put aside, which must not be the very next one.
    """
    _check_reviewer(queue, reviewer)
    _one_at_a_time(queue, reviewer)
    mine = queue.reviews.filter(reviewer=reviewer)
    begun = mine.filter(state=ReviewState.RESERVED, item__completed_at=None).order_by("started_at", "pk")
    for review in begun.select_related("item"):
        review.queue = review.item.queue = queue
        review.reviewer = reviewer
        if _hold(review):
            return review
    if not put_aside and (item := _oldest_free_item(queue, reviewer)):
        item.queue = queue
        return _begin(item, reviewer)
    waiting = mine.put_aside().filter(item__completed_at=None).exclude(item=besides)
    if not put_aside:
        waiting = waiting.filter(times_put_aside=1)
    # "deferred" sorts before "skipped".
    for review in waiting.select_related("item").order_by("state", "finished_at"):
        review.queue = review.item.queue = queue
        review.reviewer = reviewer
        if _hold(review):
            return review
    return None


@transaction.atomic
def open_item(item, *, reviewer):
    """Return the reviewer's Review of one item, reserving a free place for it; None when there is none.

    A review that they finished or put aside is returned as it is: looking at it changes nothing.
    """
    _check_reviewer(item.queue, reviewer)
    _one_at_a_time(item.queue, reviewer)
    item = _lock(item)
    review = item.reviews.filter(reviewer=reviewer).first()
    if review is None:
        free = item.completed_at is None and _has_place(item, reviewer)
        return _begin(item, reviewer) if free else None
    if review.state == ReviewState.RESERVED and item.completed_at is None:
        _hold(review)
    return review


@transaction.atomic
def save_draft(review, *, answers, anchor="", version, client=""):
    """Keep what was typed and return the review, with its lease renewed.

    Raises DraftConflict when `version` isn't the stored one: then nothing was overwritten.
    """
    draft = _draft(answers, anchor, client)
    due = _is_due(review)
    if due:
        _lock(review.item)
    saved = Review.objects.filter(pk=review.pk, draft_version=version).update(
        draft=draft, draft_version=F("draft_version") + 1, updated_at=now()
    )
    review.refresh_from_db()
    if not saved:
        # Sent twice, for want of an answer: it is stored already.
        if review.draft == draft and review.draft_version == version + 1:
            return review
        raise DraftConflict(review)
    if due:
        _hold(review)
    return review


@transaction.atomic
def renew(review):
    """Prolong the lease of a reservation, as long as the item has a place for it."""
    if _is_due(review):
        _hold(review)
    return review


@transaction.atomic
def complete(review, *, answers, anchor="", version=None, client=""):
    """Finish a review and write its scores; done again with the same answers it changes nothing.

    Raises ValidationError, keyed by config id, when a required answer is missing or one cannot be stored;
    DraftConflict when another tab wrote a newer draft; PlaceTaken when the lease ran out and others took the
    place. In the last two cases what was typed is kept.
    """
    item = _lock(review.item)
    review = _fresh(review, item)
    draft = _draft(answers, anchor, client)
    if review.state == ReviewState.COMPLETED and answering.same(review.draft, draft):
        if review.draft_version != review.finished_version:
            _before_completing(review, draft)
            _finish(review, ReviewState.COMPLETED)
        return review
    # An own save that is still on its way may land before the completion that follows it.
    elsewhere = version is not None and review.draft_version != version
    elsewhere = elsewhere and not (client and review.draft.get("client") == client)
    if elsewhere and not answering.same(review.draft, draft):
        raise DraftConflict(review)
    if review.state != ReviewState.COMPLETED and not _has_place(item, review.reviewer):
        raise PlaceTaken(review)
    _before_completing(review, draft)
    _finish(review, ReviewState.COMPLETED)
    _settle("i.id = %s", [item.pk])
    return review


def keep_draft(review, *, answers, anchor="", client=""):
    """Store what was typed over whatever is stored: for a late completion whose place is gone."""
    Review.objects.filter(pk=review.pk).update(
        draft=_draft(answers, anchor, client), draft_version=F("draft_version") + 1, updated_at=now()
    )


@transaction.atomic
def skip(review, *, reason=""):
    """Leave the item to others; it comes back once to this reviewer, after everything else."""
    return _put_aside(review, ReviewState.SKIPPED, ActionKind.SKIP, reason=reason[:500])


@transaction.atomic
def defer(review):
    """Come back to the item later, when nothing new is left."""
    return _put_aside(review, ReviewState.DEFERRED, ActionKind.DEFER)


@transaction.atomic
def undo(queue, *, reviewer):
    """Take back the reviewer's last complete, skip or defer in the queue; return its Review, None without one.

    The scores become what they were. What was typed stays in the draft.
    """
    _check_reviewer(queue, reviewer)
    _one_at_a_time(queue, reviewer)
    action = (
        ReviewAction.objects.filter(queue=queue, reviewer=reviewer, undone_at=None)
        .select_related("review__item")
        .order_by("-pk")
        .first()
    )
    if action is None:
        return None
    action.review.item.queue = queue
    item = _lock(action.review.item)
    review, before = _fresh(action.review, item), action.before
    review.reviewer, review.queue = reviewer, queue
    restore_scores(project=queue.project, snapshot=before["scores"])
    review.state = before["state"]
    review.finished_at = parse_datetime(before["finished_at"]) if before["finished_at"] else None
    review.finished_version = before["finished_version"]
    review.times_put_aside = before["times_put_aside"]
    review.reason = before["reason"]
    if before["state"] == ReviewState.COMPLETED:
        review.draft, review.draft_version = before["draft"], review.draft_version + 1
        review.finished_version = review.draft_version
    if review.state == ReviewState.RESERVED and _has_place(item, reviewer):
        review.reserved_until = now() + queue.lease
    elif review.state == ReviewState.RESERVED:
        review.reserved_until = now()
    review.save()
    action.undone_at = now()
    action.save(update_fields=["undone_at"])
    _settle("i.id = %s", [item.pk])
    return review


@transaction.atomic
def set_item_status(item, *, completed, by=None):
    """Close an item without a review, or open it again: what programs do over the API.

    Opened again, its completed reviews make room: their scores and drafts stay, and they can be completed anew.
    """
    item = _lock(item)
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


def _check_reviewer(queue, reviewer):
    if not may_review(queue, reviewer):
        raise PermissionDenied("This queue is assigned to other reviewers.")


def _one_at_a_time(queue, reviewer):
    """Serialise what one person does in a queue, so that two tabs don't reserve two items."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 7))", [f"review {queue.pk} {reviewer.pk}"]
        )


def _oldest_free_item(queue, reviewer):
    """Lock and return the oldest item that has a place and that this reviewer hasn't had.

    PostgreSQL tests `available_from` again on the row that it locked, so nobody gets a place that was taken
    between reading and locking; items that others are just locking are passed over.
    """
    mine = queue.reviews.filter(reviewer=reviewer).values("item_id")
    free = queue.items.available().exclude(pk__in=mine).in_order()
    item = free.select_for_update(skip_locked=True, no_key=True).first()
    if item is not None:
        return item
    # Of an item with several places, one may stay free after whoever is locking it: so wait before giving up.
    with _unless_vain() as kept:
        kept.item = free.select_for_update(no_key=True).first()
        kept.check(kept.item is not None)
    return kept.item


def _lock(item):
    # NO KEY: the rows that refer to the item may be written meanwhile.
    locked = QueueItem.objects.select_for_update(no_key=True).get(pk=item.pk)
    locked.queue = item.queue
    return locked


def _fresh(review, item):
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


def _has_place(item, reviewer):
    """Whether the locked item has a place for this reviewer, who may hold one already."""
    others = item.reviews.holding().exclude(reviewer=reviewer).count()
    return others < item.queue.reviewers_per_item


def _begin(item, reviewer):
    review = Review.objects.create(
        project_id=item.project_id,
        queue=item.queue,
        item=item,
        reviewer=reviewer,
        reserved_until=now() + item.queue.lease,
    )
    _settle("i.id = %s", [item.pk])
    return review


def _is_due(review):
    """Whether typing into this review should prolong, or take, its reservation."""
    if review.state == ReviewState.RESERVED:
        return review.reserved_until - now() < review.queue.lease * 0.8
    return review.state != ReviewState.COMPLETED


def _hold(review):
    """Reserve the item for an unfinished review, and return whether it had a place."""
    # Most of those without a place are found without waiting for a lock.
    if not _has_place(review.item, review.reviewer):
        return False
    with _unless_vain() as held:
        item = _lock(review.item)
        review.refresh_from_db(fields=["state", "reserved_until"])
        held.check(review.state != ReviewState.COMPLETED and _has_place(item, review.reviewer))
        review.state, review.reserved_until = ReviewState.RESERVED, now() + item.queue.lease
        review.save(update_fields=["state", "reserved_until", "updated_at"])
        _settle("i.id = %s", [item.pk])
    return held.succeeded


class _Vain(Exception):
    pass


class _Attempt:
    """Whether a block of `_unless_vain` got to its end."""

    succeeded = False

    def check(self, condition):
        if not condition:
            raise _Vain
        self.succeeded = True


@contextmanager
def _unless_vain():
    """Run a block in a savepoint and give up its row locks when its check fails.

    A transaction that kept the locks of items that it only looked at would deadlock with those who look too.
    """
    attempt = _Attempt()
    with suppress(_Vain), transaction.atomic():
        yield attempt


def _put_aside(review, state, kind, **changes):
    item = _lock(review.item)
    review = _fresh(review, item)
    if review.state in (state, ReviewState.COMPLETED):
        return review
    _remember(review, kind, scores={})
    for name, value in changes.items():
        setattr(review, name, value)
    review.times_put_aside = F("times_put_aside") + 1
    _finish(review, state)
    _settle("i.id = %s", [item.pk])
    return review


def _before_completing(review, draft):
    """Write the scores of a draft and remember what they were."""
    project = review.queue.project
    judgements, cleared = _judgements(review, draft)
    before = snapshot_scores(project=project, ids=[score.id for score in judgements] + cleared)
    _remember(review, ActionKind.COMPLETE, scores=before)
    save_scores(judgements)
    if gone := [id for id in cleared if before[id]]:
        project.scores.filter(id__in=gone).delete()
    review.draft, review.draft_version = draft, review.draft_version + 1


def _judgements(review, draft):
    """Return the scores that a draft stands for, and the ids of those that it leaves blank."""
    scores, cleared, errors = [], [], {}
    queue, project = review.queue, review.queue.project
    subject = review.item.subject
    for field in queue.questions:
        config = field.config
        id = human_score_id(project=project, author=review.reviewer, config=config, **subject)
        anchor = draft["anchor"] if field == queue.note and "trace_id" in subject else ""
        try:
            value = answering.cleaned(config, draft["answers"].get(config.pk))
            if value is None:
                if field.required:
                    raise ValueError("This field is required.")
                cleared.append(id)
                continue
            scores.append(
                build_score(
                    project=project,
                    **(subject | {"observation_id": anchor or subject.get("observation_id", "")}),
                    id=id,
                    config=config,
                    value=value,
                    source=Source.ANNOTATION,
                    author=review.reviewer,
                    queue_id=queue.pk,
                )
            )
        except ValueError as error:
            errors[config.pk] = str(error)
        except ValidationError as error:
            errors[config.pk] = " ".join(error.messages)
    if errors:
        raise ValidationError(errors)
    return scores, cleared


def _finish(review, state):
    review.state, review.finished_at = state, now()
    review.finished_version = review.draft_version
    review.save()


def _remember(review, kind, *, scores):
    ReviewAction.objects.create(
        project_id=review.project_id,
        queue_id=review.queue_id,
        review=review,
        reviewer=review.reviewer,
        kind=kind,
        before={
            "state": review.state,
            "finished_at": review.finished_at and review.finished_at.isoformat(),
            "finished_version": review.finished_version,
            "times_put_aside": review.times_put_aside,
            "reason": review.reason,
            "draft": review.draft,
            "scores": scores,
        },
    )


def _draft(answers, anchor, client):
    return {
        "answers": {key: value for key, value in answers.items() if not answering.blank(value)},
        "anchor": anchor or "",
        "client": client or "",
    }


def _settle(condition, params):
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

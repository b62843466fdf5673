"""Queues, who may review them, and what is in them."""

import random

from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.models import Max, Min
from django.utils.timezone import now

from annotation.actions.places import (
    settle,
)
from annotation.models import (
    AnnotationQueue,
    ObjectType,
    QueueOrder,
    QueueScoreConfig,
)
from evalapp.core.ids import new_id
from evalapp.projects.actions import audit, audit_update
from evalapp.projects.models import User

ITEMS_AT_ONCE = 5_000
# What a queue's order makes of an arrival (its id and its number) for the item's position.
_POSITIONS = {
    QueueOrder.OLDEST: "%(start)s + arrival.number",
    QueueOrder.NEWEST: "%(start)s - arrival.number",
    QueueOrder.RANDOM: "hashtextextended(arrival.id, %(seed)s)",
}


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
    # The lock keeps items from being added in an order that is just changing.
    stored, before = _locked(queue), _described(queue)
    for name, value in settings.items():
        setattr(queue, name, value)
    _save_queue(queue)
    if fields is not None:
        _set_fields(queue, fields)
    if reviewers is not None:
        queue.reviewers.set(reviewers)
    if queue.reviewers_per_item != stored.reviewers_per_item:
        settle("i.queue_id = %s", [queue.pk])
    if (queue.order, queue.order_seed) != (stored.order, stored.order_seed):
        _reorder(queue)
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


@transaction.atomic
def add_items(queue, *, object_ids, by=None, object_type=ObjectType.TRACE, sample=None):
    """Add objects to a queue, as arriving in the order given; return (added items, how many were there already).

    One statement, however many: an object that is in the queue stays where it is. `sample` is {"size", "seed"}:
    so many of the objects are chosen at random, the same ones for the same seed and objects, whether or not they
    are in the queue. Added items keep how probable it was to be chosen.
    """
    ids, probability = list(dict.fromkeys(object_ids)), None
    if sample and ids:
        ids, probability = _sampled(ids, **sample)
    if len(ids) > ITEMS_AT_ONCE:
        raise ValidationError(f"At most {ITEMS_AT_ONCE:,} items can be added at once; these are {len(ids):,}.")
    # The lock orders those who append: positions stay unique without a sequence for every queue.
    stored = _locked(queue)
    end = Min if stored.order == QueueOrder.NEWEST else Max
    values = {
        "project": queue.project_id,
        "queue": queue.pk,
        "type": object_type,
        "start": queue.items.aggregate(end=end("position"))["end"] or 0,
        "seed": stored.order_seed,
        "probability": probability,
        "now": now(),
        "ids": [new_id() for _ in ids],
        "object_ids": ids,
        "trace_ids": _trace_ids(queue, object_type, ids),
    }
    with connection.cursor() as cursor:
        # Microseconds apart, so that the order of arrival can be told from created_at when the order changes.
        cursor.execute(
            f"""
            INSERT INTO annotation_queueitem (id, project_id, queue_id, object_type, object_id, trace_id,
                position, inclusion_probability, available_from, created_at)
            SELECT arrival.id, %(project)s, %(queue)s, %(type)s, arrival.object_id, arrival.trace_id,
                {_POSITIONS[stored.order]}, %(probability)s::float8, %(now)s,
                %(now)s + arrival.number * interval '1 microsecond'
            FROM unnest(%(ids)s::text[], %(object_ids)s::text[], %(trace_ids)s::text[])
                WITH ORDINALITY AS arrival (id, object_id, trace_id, number)
            ORDER BY arrival.number
            ON CONFLICT (queue_id, object_type, object_id) DO NOTHING RETURNING id
            """,
            values,
        )
        added = [row[0] for row in cursor.fetchall()]
    if added:
        audit(project=queue.project, by=by, action="add items", target=queue, after={"items": len(added)})
    return added, len(ids) - len(added)


def _sampled(ids, *, size, seed=0):
    """Return (the chosen ids in their order, how probable it was for each to be chosen)."""
    size = min(size, len(ids))
    # Sorted, so that the choice depends on which objects are given and not on their order.
    chosen = set(random.Random(seed).sample(sorted(ids), size))
    return [id for id in ids if id in chosen], size / len(ids)


def _reorder(queue):
    """Give every item the position that the queue's order makes of its arrival."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE annotation_queueitem AS item SET position = {_POSITIONS[queue.order]}
            FROM (SELECT id, row_number() OVER (ORDER BY created_at, id) AS number
                  FROM annotation_queueitem WHERE queue_id = %(queue)s) AS arrival
            WHERE item.id = arrival.id
            """,
            {"queue": queue.pk, "start": 0, "seed": queue.order_seed},
        )


def _locked(queue):
    """Return the queue as it is stored, locked until the transaction ends."""
    return AnnotationQueue.objects.select_for_update(no_key=True).get(pk=queue.pk)


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


def _described(queue):
    """What the audit log says about a queue."""
    names = ["name", "description", "instructions", "reviewers_per_item", "reservation_minutes"]
    names += ["order", "order_seed"]
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

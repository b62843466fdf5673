"""Queues, who may review them, and what is in them."""

from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.models import Max
from django.utils.timezone import now

from annotation.actions.places import (
    settle,
)
from annotation.models import (
    AnnotationQueue,
    ObjectType,
    QueueScoreConfig,
)
from evalapp.core.ids import new_id
from evalapp.projects.actions import audit, audit_update
from evalapp.projects.models import User

ITEMS_AT_ONCE = 5_000


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
        settle("i.queue_id = %s", [queue.pk])
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

"""Changes of datasets. Each change of items is a version: an instant at which the dataset can be read again."""

import time
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from evalapp.core import payload
from evalapp.core.errors import Conflict
from evalapp.core.ids import new_id
from evalapp.datasets.models import Dataset, DatasetItem, Status
from evalapp.datasets.schemas import Judge, check_schema

MAX_ITEMS_A_CALL = 10_000
_MAX_FAULTS = 100
_BATCH = 1000
_PAYLOADS = ("input", "expected_output", "metadata")
_PLAIN = ("status", "source_trace_id", "source_observation_id")


class ItemFaults(ValidationError):
    """What is wrong with items, as a list of {"path": […], "message": …} that names each by index or id."""

    def __init__(self, issues):
        super().__init__([f"{'/'.join(map(str, issue['path']))}: {issue['message']}" for issue in issues])
        self.issues = issues


def clean_name(name):
    """Return a dataset's name, or raise ValidationError: its slashes must delimit folders."""
    if not name or len(name) > 255:
        raise ValidationError({"name": "A name has 1 to 255 characters."})
    if name != name.strip() or any(not part.strip() for part in name.split("/")):
        raise ValidationError({"name": "A name has no empty folder and no blanks or slashes at its ends."})
    return name


@transaction.atomic
def upsert_dataset(
    *, project, name, description=None, metadata=None, input_schema=None, expected_output_schema=None
):
    """Create the dataset of that name, or change what is given; None keeps what is there.

    A new schema must accept all current items; otherwise ItemFaults names those that it refuses.
    """
    check = {"inputSchema": input_schema, "expectedOutputSchema": expected_output_schema}
    for field, schema in check.items():
        if schema is not None:
            check_schema(schema, field)
    Dataset.objects.bulk_create([Dataset(project=project, name=clean_name(name))], ignore_conflicts=True)
    dataset = project.datasets.select_for_update().get(name=name)
    given = {
        "description": description,
        "metadata": None if metadata is None else payload.dump(metadata),
        "input_schema": None if input_schema is None else payload.dump(input_schema),
        "expected_output_schema": None if expected_output_schema is None else payload.dump(expected_output_schema),
    }
    changes = {field: value for field, value in given.items() if value not in (None, getattr(dataset, field))}
    for field, value in changes.items():
        setattr(dataset, field, value)
    if changes:
        dataset.save()
    if {"input_schema", "expected_output_schema"} & changes.keys():
        _judge(dataset, ((["items", row.item_id], row) for row in dataset.items.current().iterator(_BATCH)))
    return dataset


@transaction.atomic
def upsert_items(*, dataset, items):
    """Write the items (dicts of DatasetItem fields with parsed payloads) as one version and return their rows.

    An item is found by its `item_id`; None keeps what it has. All or nothing: ItemFaults names what the schemas
    refuse, Conflict an id that another dataset holds.
    """
    ids = [item.get("item_id") or new_id() for item in items]
    _refuse_doubles(ids)
    instant, ready_in = _next_version(dataset)
    current = {row.item_id: row for row in dataset.project.dataset_items.current().filter(item_id__in=ids)}
    for row in current.values():
        if row.dataset_id != dataset.pk:
            raise Conflict(f"Item {row.item_id} belongs to another dataset; ids are unique in a project.")
    rows = []
    for number, (item_id, item) in enumerate(zip(ids, items, strict=True)):
        # Items of one call differ by microseconds in age, so that the newest-first list keeps their order.
        row = _next_state(current.get(item_id), item, instant - timedelta(microseconds=number))
        row.project_id, row.dataset, row.item_id, row.valid_from = dataset.project_id, dataset, item_id, instant
        rows.append(row)
    _judge(dataset, ((["items", number], row) for number, row in enumerate(rows)))
    dataset.items.filter(item_id__in=ids, valid_to=None).update(valid_to=instant)
    try:
        with transaction.atomic():
            DatasetItem.objects.bulk_create(rows, batch_size=_BATCH)
    except IntegrityError as error:
        raise Conflict("One of these ids was just given to an item of another dataset.") from error
    _await(ready_in)
    return rows


@transaction.atomic
def delete_item(*, item):
    """Delete a current item with its turns in runs; earlier versions of the dataset keep the item itself.

    Returns False when it is already gone.
    """
    instant, ready_in = _next_version(item.dataset)
    if not DatasetItem.objects.current().filter(pk=item.pk).update(valid_to=instant):
        return False
    DatasetItem.objects.create(
        project_id=item.project_id,
        dataset_id=item.dataset_id,
        item_id=item.item_id,
        status=item.status,
        created_at=item.created_at,
        valid_from=instant,
        deleted=True,
    )
    # Runs are the business of an app above this one, which hangs its rows on the project.
    item.project.dataset_run_items.filter(item_id=item.item_id, run__dataset=item.dataset_id).delete()
    _await(ready_in)
    return True


def await_writers(*, dataset, version):
    """Wait for writes in flight that will belong to this version, so that it reads the same now and later.

    Writers that come later get later instants. A version before the newest committed one is settled anyway.
    """
    if dataset.changed_at is None or version >= dataset.changed_at:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM datasets_dataset WHERE id = %s FOR SHARE", [dataset.pk])


def _refuse_doubles(ids):
    if len(ids) > MAX_ITEMS_A_CALL:
        raise ValidationError({"items": f"{len(ids)} items; a call takes at most {MAX_ITEMS_A_CALL}."})
    seen = set()
    doubles = sorted({item_id for item_id in ids if item_id in seen or seen.add(item_id)})
    if doubles:
        raise ValidationError({"items": f"The id {doubles[0]} is given more than once."})


def _next_version(dataset):
    """Take the dataset for this transaction; return its next instant and the seconds until that is past.

    Instants are whole milliseconds, because JavaScript can't send more, and rounded up, so that a version which a
    client read before this write never contains it. By the database's clock: the servers' ones differ.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE datasets_dataset SET changed_at = greatest("
            " date_trunc('milliseconds', clock_timestamp()), changed_at) + interval '1 millisecond'"
            " WHERE id = %s RETURNING changed_at, extract(epoch FROM changed_at - clock_timestamp())",
            [dataset.pk],
        )
        row = cursor.fetchone()
    if row is None:
        raise ValidationError("The dataset was deleted.")
    instant, seconds = row
    dataset.changed_at = instant
    return instant, time.monotonic() + float(seconds)


def _await(moment):
    # At most a few milliseconds, so that a client which asks for "now" after our answer sees what it wrote. The
    # bound holds even when the clock was set back.
    time.sleep(min(max(moment - time.monotonic(), 0), 0.05))


def _next_state(current, item, created_at):
    row = DatasetItem(created_at=created_at)
    if current is not None:
        for field in (*_PAYLOADS, *_PLAIN, "created_at"):
            setattr(row, field, getattr(current, field))
    for field in _PAYLOADS:
        if item.get(field) is not None:
            setattr(row, field, payload.dump(item[field]))
    for field in _PLAIN:
        if item.get(field) is not None:
            setattr(row, field, item[field])
    row.status = row.status or Status.ACTIVE
    return row


def _judge(dataset, rows):
    judges = {
        "input": Judge(payload.load(dataset.input_schema)),
        "expected_output": Judge(payload.load(dataset.expected_output_schema)),
    }
    if not (dataset.input_schema or dataset.expected_output_schema):
        return
    issues = []
    for path, row in rows:
        for field, name in (("input", "input"), ("expected_output", "expectedOutput")):
            for inner, message in judges[field].faults(payload.load(getattr(row, field))):
                issues.append({"path": [*path, name, *inner], "message": message})
        if len(issues) >= _MAX_FAULTS:
            break
    if issues:
        raise ItemFaults(issues[:_MAX_FAULTS])

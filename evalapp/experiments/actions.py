"""Recording what ran: from API calls and from spans, in any order, as one run with one row an item and trace."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from itertools import islice

from django.db import connection, transaction
from django.utils.timezone import now

from evalapp.core import payload
from evalapp.core.ids import new_id
from evalapp.experiments.models import DatasetRun, DatasetRunItem, RunDeletion, SpanReading
from evalapp.traces.clean import clean_text

# Spans get their time when they are written and are seen when that commits: this is how late that may be.
_IN_FLIGHT = timedelta(minutes=2)
_BATCH = 1000
_LONGEST_ID = 255


def run_key(project_id, dataset_id, run_name):
    """Return the id that Python 5 computes for a run over a dataset, so that all SDKs name the same run alike."""
    parts = ["langfuse-experiment-v1", project_id, dataset_id, run_name]
    text = json.dumps(parts, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@transaction.atomic
def record_run_item(
    *,
    project,
    item,
    run_name,
    trace_id,
    observation_id=None,
    description=None,
    metadata=None,
    version=None,
    created_at=None,
):
    """Link a trace to the state of a dataset item that it ran on, and create or describe the run of that name."""
    moment = now()
    run, _ = DatasetRun.objects.get_or_create(
        project=project,
        key=run_key(project.pk, item.dataset_id, run_name),
        defaults={"dataset": item.dataset, "name": run_name, "created_at": moment, "updated_at": moment},
    )
    given = {"description": description, "metadata": None if metadata is None else payload.dump(metadata)}
    given = {field: value for field, value in given.items() if value is not None}
    if given:
        DatasetRun.objects.filter(pk=run.pk).update(updated_at=moment, **given)
    seen = {
        "item_version": version or item.valid_from,
        "expected_output": item.expected_output,
        "item_metadata": item.metadata,
    }
    times = {"created_at": created_at or moment, "updated_at": moment, "start_time": created_at or moment}
    row, created = DatasetRunItem.objects.get_or_create(
        run=run,
        item_id=item.item_id,
        trace_id=trace_id,
        defaults={"project": project, "observation_id": observation_id, **seen, **times},
    )
    if not created:
        row.observation_id = observation_id or row.observation_id
        row.updated_at = moment
        for field, value in seen.items():
            setattr(row, field, value)
        row.save(update_fields=["observation_id", "updated_at", *seen])
    row.run = run
    return row


@transaction.atomic
def delete_run(*, run):
    """Delete the run; traces and scores stay. Spans that come later under its id make it anew."""
    RunDeletion.objects.update_or_create(project_id=run.project_id, key=run.key, defaults={"at": now()})
    run.delete()


def read_spans(*, project):
    """Record what spans say about experiments since the last reading.

    Called by whoever is about to read runs, so that a run is there as soon as its spans are.
    """
    reading = SpanReading.objects.filter(project=project).first()
    spans = project.observations.filter(experiment__isnull=False)
    if reading:
        spans = spans.filter(created_at__gt=reading.until - _IN_FLIGHT)
    until = now()
    rows = spans.order_by("created_at").values_list(
        "experiment", "trace_id", "id", "start_time", "end_time", "created_at"
    )
    rows = rows.iterator(_BATCH)
    while batch := list(islice(rows, _BATCH)):
        _record_spans(project, batch)
        SpanReading.objects.update_or_create(
            project=project, defaults={"until": batch[-1][-1] if len(batch) == _BATCH else until}
        )


@transaction.atomic
def _record_spans(project, spans):
    # Most were read before. In Python, because an anti-join goes wrong quadratically while statistics are young.
    items = project.dataset_run_items.filter(trace_id__in={trace_id for _, trace_id, *_ in spans})
    known = set(items.values_list("trace_id", "observation_id", "start_time", "end_time"))
    said = []
    for text, *place, seen_at in spans:
        if tuple(place) in known:
            continue
        words = payload.load(text)
        key = _id(words["id"])
        said.append((key, words, place, seen_at))
    keys = {key for key, *_ in said}
    deletions = dict(RunDeletion.objects.filter(project=project, key__in=keys).values_list("key", "at"))
    said = [entry for entry in said if entry[0] not in deletions or entry[3] > deletions[entry[0]]]
    if said:
        runs = _record_runs(project, said)
        _record_items(project, runs, said)


def _record_runs(project, said):
    datasets = project.datasets.in_bulk({_id(words["dataset_id"] or "") for _, words, *_ in said})
    news = {}
    for key, words, _, seen_at in said:
        run = news.setdefault(
            key, DatasetRun(project=project, key=key, name=key, created_at=seen_at, updated_at=seen_at)
        )
        _describe(run, words, datasets)
        run.updated_at = seen_at
    # In the order of their keys: two readers that insert the same runs must not wait for each other.
    DatasetRun.objects.bulk_create([news[key] for key in sorted(news)], ignore_conflicts=True)
    locked = project.dataset_runs.filter(key__in=news).select_for_update(no_key=True).order_by("key")
    stored = {run.key: run for run in locked}
    for key, run in stored.items():
        before = (run.name, run.description, run.metadata, run.dataset_id)
        new = news[key]
        newer = new.updated_at > run.updated_at
        for field in ("description", "metadata", "dataset_id"):
            value = getattr(new, field)
            if value is not None and (newer or getattr(run, field) is None):
                setattr(run, field, value)
        if newer and new.name != key:
            run.name = new.name
        if (run.name, run.description, run.metadata, run.dataset_id) != before:
            run.updated_at = max(run.updated_at, new.updated_at)
            run.save()
    return stored


def _describe(run, words, datasets):
    run.name = clean_text(words["name"]) if words.get("name") else run.name
    run.description = clean_text(words["description"]) if words.get("description") else run.description
    run.metadata = payload.dump(words["metadata"]) if words.get("metadata") else run.metadata
    if words.get("dataset_id") in datasets:
        run.dataset = datasets[words["dataset_id"]]


# What the API call said about the item is exact; a span has it as text of an attribute.
_UPSERT = """
    INSERT INTO experiments_datasetrunitem AS stored (
        id, project_id, run_id, item_id, trace_id, observation_id, item_version, expected_output, item_metadata,
        start_time, end_time, created_at, updated_at)
    SELECT * FROM unnest(
        %s::text[], %s::text[], %s::bigint[], %s::text[], %s::text[], %s::text[], %s::timestamptz[], %s::text[],
        %s::text[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[])
    ON CONFLICT (run_id, item_id, trace_id) DO UPDATE SET
        observation_id = EXCLUDED.observation_id,
        item_version = coalesce(stored.item_version, EXCLUDED.item_version),
        expected_output = coalesce(stored.expected_output, EXCLUDED.expected_output),
        item_metadata = coalesce(stored.item_metadata, EXCLUDED.item_metadata),
        start_time = EXCLUDED.start_time,
        end_time = EXCLUDED.end_time,
        updated_at = EXCLUDED.updated_at
    WHERE (stored.observation_id, stored.start_time, stored.end_time)
        IS DISTINCT FROM (EXCLUDED.observation_id, EXCLUDED.start_time, EXCLUDED.end_time)"""


def _record_items(project, runs, said):
    rows, states = {}, _states_of_items(project, runs, said)
    for key, words, (trace_id, span_id, start, end), seen_at in said:
        item_id = _id(words["item_id"])
        deletions = states.get((runs[key].dataset_id, item_id, True), ())
        if any(moment >= seen_at for moment in deletions):
            continue  # the item went, and this turn with it; spans of before don't bring it back
        since = [moment for moment in states.get((runs[key].dataset_id, item_id, False), ()) if moment <= start]
        metadata = words.get("item_metadata")
        rows[runs[key].pk, item_id, trace_id] = (
            new_id(),
            project.pk,
            runs[key].pk,
            item_id,
            trace_id,
            span_id,
            _moment(words.get("item_version")) or max(since, default=None),
            _json(words.get("expected_output")),
            None if metadata is None else payload.dump(metadata),
            start,
            end,
            seen_at,
            seen_at,
        )
    if not rows:
        return
    with connection.cursor() as cursor:
        ordered = [rows[key] for key in sorted(rows)]
        cursor.execute(_UPSERT, [list(column) for column in zip(*ordered, strict=True)])


def _states_of_items(project, runs, said):
    """Return {(dataset id, item id, whether it was deleted): the instants at which that was done}."""
    states = {}
    datasets = {run.dataset_id for run in runs.values() if run.dataset_id}
    if datasets:
        found = project.dataset_items.filter(
            dataset_id__in=datasets, item_id__in={_id(words["item_id"]) for _, words, *_ in said}
        )
        for *key, moment in found.values_list("dataset_id", "item_id", "deleted", "valid_from"):
            states.setdefault(tuple(key), []).append(moment)
    return states


def _id(text):
    return clean_text(text)[:_LONGEST_ID]


def _json(text):
    return None if text is None else payload.dump(payload.parse(text))


def _moment(text):
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

"""Durable background work: the row is the job, a Celery message only wakes a worker up.

Delivery is at least once: a message may come twice, a worker may die. What makes the effect happen once is the
attempt number: every claim raises it, and progress, result and failure are written only by the attempt that is
still the row's. A handler that changes the database declares `atomic=True`; then its changes commit together
with its result, or not at all.

    @job("exports.write", atomic=True)
    def write_export(job):
        … job.payload …
        return {"rows": 12}

    enqueue("exports.write", {"queue": queue.id}, project_id=project.id, key=f"export:{queue.id}")
"""

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from celery import current_app
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils.module_loading import autodiscover_modules

from evalapp.core.logs import job_id
from evalapp.core.models import Job, JobState

log = logging.getLogger(__name__)

_LONGEST_BACKOFF = 600
_SWEEP_BATCH = 1000
_KEPT = timedelta(days=30)


class Stopped(Exception):
    """A handler raises this when `job.progress()` says no: it was cancelled, or another worker took over."""


@dataclass(frozen=True)
class Handler:
    """What runs a kind of job, and under which rules."""

    run: Callable
    lease: timedelta
    max_attempts: int
    atomic: bool
    keeps_payload: bool

    def last_words(self):
        """Return the fields that every end of a job sets."""
        return {"finished_at": Now(), "lease_until": None, **({} if self.keeps_payload else {"payload": {}})}


_handlers: dict[str, Handler] = {}


def job(kind, *, lease=60, max_attempts=5, atomic=False, keep_payload=True):
    """Register `handler(job) -> result dict or None` for a kind, in an app's `tasks` module.

    `lease`: the seconds without `job.progress()` after which another worker takes the job over; an atomic handler
    has to be done within them. `keep_payload=False` empties the payload when the job ends, for payloads that
    carry secrets.
    """

    def register(function):
        _handlers[kind] = Handler(function, timedelta(seconds=lease), max_attempts, atomic, keep_payload)
        return function

    return register


def handler_of(kind):
    """Return the Handler. Raises KeyError for a kind that no installed app handles."""
    if kind not in _handlers:
        autodiscover_modules("tasks")
    return _handlers[kind]


def enqueue(kind, payload, *, project_id="", key=None):
    """Insert the job in the caller's transaction, and wake a worker once that has committed.

    With a `key` that was used before, the existing job is returned and nothing else happens.
    """
    fields = {"kind": kind, "payload": payload, "project_id": project_id}
    fields["max_attempts"] = handler_of(kind).max_attempts
    if key is None:
        row, created = Job.objects.create(**fields), True
    else:
        row, created = Job.objects.get_or_create(idempotency_key=key, defaults=fields)
    if created:
        transaction.on_commit(lambda: wake([row.pk]))
    return row


def wake(ids):
    """Send the messages. A broker that is down costs seconds, never the request: the sweep sends them again."""
    try:
        for pk in ids:
            current_app.send_task(
                "evalapp.core.tasks.run_job",
                [pk],
                expires=600,
                retry_policy={"max_retries": 1, "interval_start": 0, "interval_step": 0.1},
            )
    except Exception as error:  # whatever the transport raises: the row is committed
        log.warning("The broker cannot be reached; the sweep will wake the jobs. %s", error)


def run(pk):
    """Claim the job and run it. Nothing happens when it isn't due, or another worker has it."""
    kind = Job.objects.filter(pk=pk).values_list("kind", flat=True).first()
    if kind is None:
        return
    handler = handler_of(kind)
    row = _claim(pk, handler.lease)
    if row is None:
        return
    token = job_id.set(str(pk))
    try:
        _run(row, handler)
    finally:
        job_id.reset(token)


def _claim(pk, lease):
    # One statement finds, locks, changes and returns the row: two messages for one job cannot both have it.
    rows = Job.objects.raw(
        """
        UPDATE core_job
        SET state = 'running', attempts = attempts + 1, lease_until = statement_timestamp() + %s
        WHERE id IN (
            SELECT id FROM core_job
            WHERE id = %s AND attempts < max_attempts
              AND (state = 'queued' AND run_after <= statement_timestamp()
                   OR state = 'running' AND lease_until < statement_timestamp())
            FOR UPDATE SKIP LOCKED)
        RETURNING *
        """,
        [lease, pk],
    )
    row = next(iter(rows), None)
    if row is not None:
        row.lease = lease
    return row


def _run(row, handler):
    facts = {"job_kind": row.kind, "attempt": row.attempts}
    log.info("job started", extra=facts)
    try:
        if handler.atomic:
            with transaction.atomic():
                _finish(row, handler)
        else:
            _finish(row, handler)
    except Stopped:
        log.info("job stopped: it was cancelled, or another worker took it over", extra=facts)
    except Exception as error:  # the failure becomes the row's state; the worker goes on
        log.exception("job failed", extra=facts)
        _fail(row, handler, f"{type(error).__name__}: {error}"[:2000])
    else:
        log.info("job done", extra=facts)


def _finish(row, handler):
    result = handler.run(row) or {}
    if not row.mine().update(state=JobState.DONE, result=result, error="", **handler.last_words()):
        raise Stopped  # rolls an atomic handler's changes back: the other attempt's count


def _fail(row, handler, error):
    if row.attempts >= row.max_attempts:
        row.mine().update(state=JobState.FAILED, error=error, **handler.last_words())
    else:
        again = Now() + timedelta(seconds=backoff(row.attempts))
        row.mine().update(state=JobState.QUEUED, error=error, lease_until=None, run_after=again)


def backoff(attempt):
    """Return the seconds to wait after failed attempt number `attempt`: 2, 4, 8 … each times 0.5 to 1.5."""
    return min(2**attempt, _LONGEST_BACKOFF) * random.uniform(0.5, 1.5)


def cancel(row):
    """Stop a job that has not ended, and return whether it was stopped.

    Its handler notices at the next `job.progress()`; an atomic one loses its changes.
    """
    stop = {"state": JobState.CANCELLED, **handler_of(row.kind).last_words()}
    return bool(Job.objects.unfinished().filter(pk=row.pk).update(**stop))


def sweep():
    """Wake what is due (lost messages, retries, jobs of workers that died); return how many."""
    Job.objects.abandoned().filter(attempts__gte=F("max_attempts")).update(
        state=JobState.FAILED,
        finished_at=Now(),
        lease_until=None,
        error="The worker died or hung at every attempt. Its log names this job's id.",
    )
    ids = list(Job.objects.due().order_by("run_after").values_list("pk", flat=True)[:_SWEEP_BATCH])
    wake(ids)
    return len(ids)


def purge():
    """Delete the rows of jobs that ended a month ago; return how many."""
    return Job.objects.filter(finished_at__lt=Now() - _KEPT).delete()[0]

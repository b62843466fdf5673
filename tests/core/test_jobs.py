"""Jobs in this process: what a claim, a failure, a retry and a cancellation do to the row."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now

from evalapp.core import jobs
from evalapp.core.models import Job
from evalapp.projects.models import Organization
from tests.core import worker_app

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def kinds():
    worker_app.register()


def payload(tmp_path):
    return {"started": str(tmp_path / "started"), "hold": str(tmp_path / "hold")}


def make_due(job):
    Job.objects.filter(pk=job.pk).update(run_after=Now() - timedelta(seconds=1))


def test_a_job_runs_once_however_many_messages_come(tmp_path):
    job = jobs.enqueue("test.write", payload(tmp_path))
    for _ in range(3):
        jobs.run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempts, job.result) == ("done", 1, {"made": 1})
    assert Organization.objects.count() == 1


def test_an_unknown_kind_is_refused_at_once():
    with pytest.raises(KeyError):
        jobs.enqueue("nobody.does_this", {})


def test_a_used_key_returns_the_first_job(tmp_path):
    first = jobs.enqueue("test.write", payload(tmp_path), key="export:1")
    assert jobs.enqueue("test.write", {"other": "payload"}, key="export:1") == first
    assert Job.objects.count() == 1


def test_no_message_is_sent_when_the_transaction_rolls_back(tmp_path, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as callbacks, pytest.raises(RuntimeError), transaction.atomic():
        jobs.enqueue("test.write", payload(tmp_path))
        raise RuntimeError
    assert callbacks == []
    assert not Job.objects.exists()


def test_a_failing_job_is_tried_again_later_then_failed_in_words():
    job = jobs.enqueue("test.fail", {})
    jobs.run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempts) == ("queued", 1)
    jobs.run(job.pk)  # too early: the back-off has not passed
    job.refresh_from_db()
    assert job.attempts == 1
    make_due(job)
    jobs.run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempts) == ("failed", 2)
    assert job.error == "ValueError: the provider said no"
    assert job.finished_at is not None


def test_the_back_off_doubles_and_is_capped():
    assert 1 <= jobs.backoff(1) <= 3
    assert 8 <= jobs.backoff(4) <= 24
    assert 300 <= jobs.backoff(40) <= 900


def test_a_cancelled_job_does_not_start(tmp_path):
    job = jobs.enqueue("test.write", payload(tmp_path))
    assert jobs.cancel(job)
    jobs.run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempts) == ("cancelled", 0)
    assert not jobs.cancel(job)


def test_a_cancelled_job_hears_so_from_its_progress():
    job = jobs.enqueue("test.count", {})
    Job.objects.filter(pk=job.pk).update(state="running", attempts=1)
    job.refresh_from_db()
    assert job.progress(1, 10)
    jobs.cancel(job)
    assert not job.progress(2)


def test_what_a_cancelled_atomic_job_wrote_is_rolled_back(tmp_path):
    @jobs.job("test.cancelled", atomic=True)
    def cancelled(job):
        Organization.objects.create(name="must not stay")
        Job.objects.filter(pk=job.pk).update(state="cancelled")

    job = jobs.enqueue("test.cancelled", {})
    jobs.run(job.pk)
    assert not Organization.objects.exists()


def test_a_late_attempt_cannot_overwrite_the_one_that_took_over():
    job = jobs.enqueue("test.count", {})
    Job.objects.filter(pk=job.pk).update(state="running", attempts=1)
    late = Job.objects.get()
    Job.objects.filter(pk=job.pk).update(attempts=2)
    assert not late.progress(5)
    assert late.mine().update(state="done") == 0


def test_the_sweep_wakes_lost_and_abandoned_jobs_and_no_others(tmp_path):
    lost = jobs.enqueue("test.write", payload(tmp_path))
    abandoned = jobs.enqueue("test.write", payload(tmp_path))
    running = jobs.enqueue("test.write", payload(tmp_path))
    later = jobs.enqueue("test.write", payload(tmp_path))
    Job.objects.filter(pk=abandoned.pk).update(state="running", attempts=1, lease_until=Now())
    Job.objects.filter(pk=running.pk).update(state="running", lease_until=Now() + timedelta(minutes=1))
    Job.objects.filter(pk=later.pk).update(run_after=Now() + timedelta(minutes=1))
    assert set(Job.objects.due()) == {lost, abandoned}
    assert jobs.sweep() == 2


def test_a_job_that_kills_its_worker_every_time_fails_in_the_end():
    job = jobs.enqueue("test.fail", {})
    Job.objects.filter(pk=job.pk).update(state="running", attempts=2, lease_until=Now())
    assert jobs.sweep() == 0
    job.refresh_from_db()
    assert job.state == "failed"
    assert "worker died" in job.error


def test_a_secret_payload_is_forgotten_when_the_job_ends():
    job = jobs.enqueue("test.secret", {"secret": "token"})
    jobs.run(job.pk)
    job.refresh_from_db()
    assert (job.payload, job.result) == ({}, {"length": 5})


def test_jobs_that_ended_a_month_ago_are_purged():
    old, new = (jobs.enqueue("test.secret", {"secret": ""}) for _ in range(2))
    for job in (old, new):
        jobs.run(job.pk)
    Job.objects.filter(pk=old.pk).update(finished_at=Now() - timedelta(days=31))
    assert jobs.purge() == 1
    assert Job.objects.get() == new


def test_the_query_of_the_sweep_has_an_index():
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        plan = Job.objects.due().order_by("run_after").explain()
    assert "job_unfinished_by_due_time" in plan

"""Jobs with a real broker and real worker processes, which are killed."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta

import kombu.pools
import pytest
from django.db import connection
from django.db.models.functions import Now

from evalapp.celery import app
from evalapp.core import jobs
from evalapp.core.models import Job
from evalapp.projects.models import Organization
from tests.core import worker_app

pytestmark = [pytest.mark.process, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def empty_queue():
    worker_app.register()
    with app.connection_for_write() as broker:
        broker.default_channel.queue_purge("celery")


@contextlib.contextmanager
def worker():
    """Run a worker on this test's database; yields once it takes messages."""
    url = f"{os.environ['DATABASE_URL'].split('?')[0].rsplit('/', 1)[0]}/{connection.settings_dict['NAME']}"
    query = os.environ["DATABASE_URL"].partition("?")[2]
    process = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "tests.core.worker_app", "worker", "-P", "prefork", "-c", "2"],
        env={**os.environ, "DATABASE_URL": f"{url}?{query}", "EVALAPP_TEST_WORKER": "1"},
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        eventually(lambda: process.poll() is None and app.control.ping(timeout=0.5))
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def eventually(true, seconds=60):
    deadline = time.monotonic() + seconds
    while not (value := true()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)
    return value


def state(job):
    return Job.objects.values_list("state", flat=True).get(pk=job.pk)


def write_job(tmp_path):
    return jobs.enqueue("test.write", {"started": str(tmp_path / "started"), "hold": str(tmp_path / "hold")})


def test_a_worker_does_what_was_enqueued_and_a_second_message_changes_nothing(tmp_path):
    with worker():
        job = write_job(tmp_path)
        eventually(lambda: state(job) == "done")
        jobs.wake([job.pk, job.pk])
        after = write_job(tmp_path)  # behind the duplicates in the queue
        eventually(lambda: state(after) == "done")
    assert Job.objects.get(pk=job.pk).attempts == 1
    assert Organization.objects.filter(name=f"made by job {job.pk}").count() == 1


def test_the_sweep_recovers_a_lost_message(tmp_path):
    job = write_job(tmp_path)
    with app.connection_for_write() as broker:
        assert broker.default_channel.queue_purge("celery") == 1
    with worker():
        assert state(job) == "queued"
        jobs.sweep()
        eventually(lambda: state(job) == "done")


def test_a_killed_worker_s_job_is_done_once_by_the_next(tmp_path):
    (tmp_path / "hold").touch()
    with worker() as process:
        job = write_job(tmp_path)
        eventually((tmp_path / "started").exists)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert state(job) == "running"
    (tmp_path / "hold").unlink()
    with worker():
        eventually(lambda: jobs.sweep() or state(job) == "done")
        eventually(lambda: state(job) == "done")
    assert Job.objects.get(pk=job.pk).attempts == 2
    assert Organization.objects.filter(name=f"made by job {job.pk}").count() == 1


def test_a_running_job_stops_when_it_is_cancelled(tmp_path):
    with worker():
        job = jobs.enqueue("test.count", {})
        eventually(lambda: Job.objects.filter(pk=job.pk, done__gt=2).exists())
        assert jobs.cancel(job)
        after = write_job(tmp_path)
        eventually(lambda: state(after) == "done")
        done = Job.objects.get(pk=job.pk).done
        # The lease went with the cancellation: nobody renews it, nobody takes it over.
        assert jobs.sweep() == 0
    job.refresh_from_db()
    assert (job.state, job.done, job.lease_until) == ("cancelled", done, None)


def test_a_broker_that_is_down_does_not_fail_the_caller(tmp_path, caplog):
    with broker_away(tmp_path):
        job = write_job(tmp_path)
    assert state(job) == "queued"
    assert "The broker cannot be reached" in caplog.text
    with worker():
        jobs.sweep()
        eventually(lambda: state(job) == "done")


@contextlib.contextmanager
def broker_away(tmp_path):
    """Point this process at a socket where nobody listens."""
    there = app.conf.broker_url
    try:
        reconnect(f"redis+socket://{tmp_path}/nobody.sock")
        yield
    finally:
        reconnect(there)


def reconnect(url):
    app.conf.broker_url = app.conf.broker_write_url = app.conf.broker_read_url = url
    kombu.pools.reset()
    app._pool = None
    app.amqp._producer_pool = None


def test_a_retry_is_taken_up_by_the_sweep_when_its_time_has_come():
    with worker():
        job = jobs.enqueue("test.fail", {})
        eventually(lambda: Job.objects.filter(pk=job.pk, state="queued", attempts=1).exists())
        Job.objects.filter(pk=job.pk).update(run_after=Now() - timedelta(seconds=1))
        jobs.sweep()
        eventually(lambda: state(job) == "failed")
    assert Job.objects.get(pk=job.pk).attempts == 2

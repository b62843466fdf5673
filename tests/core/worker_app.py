"""A real Celery worker for tests of jobs: the product's application plus the kinds of jobs that tests need.

`celery -A tests.core.worker_app worker`. The tests import it too, so both sides know the kinds.
"""

import os
import time
from pathlib import Path

from evalapp.celery import app  # noqa: F401 - the application that `celery -A` looks for


def register():
    """Make the kinds known; called when Django is set up."""
    from evalapp.core import jobs
    from evalapp.projects.models import Organization

    @jobs.job("test.write", lease=3, atomic=True)
    def write(job):
        """Write a row, then wait while the file that the payload names exists."""
        Organization.objects.create(name=f"made by job {job.pk}")
        Path(job.payload["started"]).write_text(str(os.getpid()))
        while Path(job.payload["hold"]).exists():
            time.sleep(0.02)
        return {"made": 1}

    @jobs.job("test.count", lease=3)
    def count(job):
        """Go on until told to stop."""
        number = 0
        while job.progress(number := number + 1, 1_000_000):
            time.sleep(0.02)
        raise jobs.Stopped

    @jobs.job("test.fail", max_attempts=2)
    def fail(job):
        raise ValueError("the provider said no")

    @jobs.job("test.secret", keep_payload=False)
    def secret(job):
        return {"length": len(job.payload["secret"])}


if os.environ.get("EVALAPP_TEST_WORKER"):
    from celery.signals import worker_init

    @worker_init.connect
    def _register(**kwargs):
        register()

"""Celery's doors into the job rows."""

from celery import shared_task

from evalapp.core import jobs


@shared_task
def run_job(pk):
    """Run the job of that id, if it is due."""
    jobs.run(pk)


@shared_task
def sweep_jobs():
    """Wake the jobs whose message was lost or whose worker died."""
    jobs.sweep()


@shared_task
def purge_jobs():
    """Forget the jobs that ended long ago."""
    jobs.purge()

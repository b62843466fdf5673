"""Celery's doors into the job rows."""

from celery import shared_task


@shared_task
def sweep_jobs():
    """Wake the jobs whose message was lost or whose worker died."""
    from evalapp.core import jobs

    jobs.sweep()

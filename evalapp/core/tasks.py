"""Celery's doors into the job rows."""

from celery import shared_task

from evalapp.core import jobs, mail


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


@jobs.job("core.send_mail", max_attempts=8, keep_payload=False)
def send_mail(job):
    """Send one e-mail. At least once: nothing can make a mail server and a database commit together."""
    mail.send(job.payload)

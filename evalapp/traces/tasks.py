"""Celery's doors into the upkeep of traces."""

from celery import shared_task

from evalapp.traces import partitions


@shared_task
def ensure_partitions():
    """Keep partitions ready for the coming weeks."""
    partitions.ensure_partitions()

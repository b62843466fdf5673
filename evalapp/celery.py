"""The Celery application: messages wake workers, rows in PostgreSQL are the work."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "evalapp.settings")

app = Celery("evalapp")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(
    task_ignore_result=True,
    # A message carries no work of its own, so it may be dropped: the sweep wakes the job again.
    task_acks_late=False,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
    broker_transport_options={
        "visibility_timeout": 60,
        "unacked_restore_throttle": 1,
        "socket_connect_timeout": 2,  # a request that enqueues must not hang on a broker that is away
    },
    timezone="UTC",
    beat_schedule={
        "sweep-jobs": {"task": "evalapp.core.tasks.sweep_jobs", "schedule": 10.0, "options": {"expires": 10}},
        "purge-jobs": {
            "task": "evalapp.core.tasks.purge_jobs",
            "schedule": 3600.0,
            "options": {"expires": 3600},
        },
        "ensure-partitions": {
            "task": "evalapp.traces.tasks.ensure_partitions",
            "schedule": 6 * 3600.0,
            "options": {"expires": 3600},
        },
    },
)
app.autodiscover_tasks()

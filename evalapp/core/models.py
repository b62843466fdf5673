"""The durable job: a row that says what is to be done, how far it is, and who holds it."""

from django.db import models
from django.db.models import Q
from django.utils.timezone import now


class JobState(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class JobQuerySet(models.QuerySet):
    def due(self):
        """Jobs that a worker may take: queued and due, or running with an expired lease."""
        return self.filter(
            Q(state=JobState.QUEUED, run_after__lte=now()) | Q(state=JobState.RUNNING, lease_until__lt=now())
        )

    def unfinished(self):
        return self.filter(state__in=[JobState.QUEUED, JobState.RUNNING])


class Job(models.Model):
    """One piece of background work (design: the row is the job, a Celery message only wakes a worker).

    `project_id` is plain text because core knows no domain; empty for work of the whole installation.
    """

    kind = models.CharField(max_length=80)
    project_id = models.CharField(max_length=64, blank=True)
    payload = models.JSONField(default=dict)
    idempotency_key = models.CharField(max_length=200, null=True, unique=True)
    state = models.CharField(max_length=10, choices=JobState, default=JobState.QUEUED)
    attempts = models.PositiveIntegerField(default=0)
    max_attempts = models.PositiveIntegerField(default=5)
    run_after = models.DateTimeField(default=now)
    lease_until = models.DateTimeField(null=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(null=True)
    result = models.JSONField(default=dict)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["run_after"],
                condition=Q(state__in=["queued", "running"]),
                name="job_unfinished_by_due_time",
            ),
            models.Index(fields=["project_id", "kind", "-created_at"], name="job_by_project_and_kind"),
        ]

    def __str__(self):
        return f"{self.kind} {self.pk} ({self.state})"

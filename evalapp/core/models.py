"""The durable job: a row that says what is to be done, how far it is, and who holds it."""

from datetime import timedelta

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class JobState(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class JobQuerySet(models.QuerySet):
    """Times are compared with the database's clock, so that the machines' clocks need not agree."""

    def of_project(self, project_id):
        return self.filter(project_id=project_id)

    def abandoned(self):
        """Jobs whose worker died or hangs."""
        return self.filter(state=JobState.RUNNING, lease_until__lt=Now())

    def due(self):
        """Jobs that a worker may take: queued and due, or abandoned."""
        return self.filter(state=JobState.QUEUED, run_after__lte=Now()) | self.abandoned()

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
    run_after = models.DateTimeField(db_default=Now())
    lease_until = models.DateTimeField(null=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(null=True)
    result = models.JSONField(default=dict)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    objects = JobQuerySet.as_manager()
    lease = timedelta(seconds=60)

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

    def mine(self):
        """The row, as long as this attempt is the one that holds it."""
        return Job.objects.filter(pk=self.pk, state=JobState.RUNNING, attempts=self.attempts)

    def progress(self, done, total=None):
        """Note the progress, renew the lease, and return whether to go on.

        False: somebody cancelled the job, or the lease had run out and another worker has it; stop then
        (`raise jobs.Stopped`).
        """
        self.done, self.total = done, self.total if total is None else total
        changes = {"done": self.done, "total": self.total, "lease_until": Now() + self.lease}
        return bool(self.mine().update(**changes))

    @property
    def has_ended(self):
        """Whether nothing will change any more."""
        return self.state in (JobState.DONE, JobState.FAILED, JobState.CANCELLED)

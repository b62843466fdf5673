"""The review workspace: queues of things to read, and each reviewer's turn at each of them."""

from django.db import models
from django.db.models import Q
from django.utils.timezone import now

from evalapp.core.ids import new_id
from evalapp.projects.models import Project, User
from evalapp.scores.models import ScoreConfig


class ObjectType(models.TextChoices):
    TRACE = "TRACE"
    OBSERVATION = "OBSERVATION"
    SESSION = "SESSION"


class AnnotationQueue(models.Model):
    """A pile of traces, observations or sessions, and the questions that reviewers answer about each."""

    id = models.CharField(primary_key=True, max_length=64, default=new_id)
    project = models.ForeignKey(Project, models.CASCADE, related_name="annotation_queues")
    name = models.CharField(max_length=100)
    description = models.TextField(blank=True)
    instructions = models.TextField(blank=True, help_text="Markdown shown to reviewers beside the trace.")
    score_configs = models.ManyToManyField(
        ScoreConfig, through="QueueScoreConfig", related_name="annotation_queues"
    )
    reviewers = models.ManyToManyField(
        User, blank=True, related_name="assigned_queues", help_text="Nobody named: everyone who may review."
    )
    reviewers_per_item = models.PositiveSmallIntegerField(default=1)
    reservation_minutes = models.PositiveSmallIntegerField(default=15)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="annotation_queue_names_are_unique"),
            models.CheckConstraint(condition=Q(reviewers_per_item__gte=1), name="an_item_needs_a_reviewer"),
        ]

    def __str__(self):
        return self.name


class QueueScoreConfig(models.Model):
    """A score config's place in a queue."""

    queue = models.ForeignKey(AnnotationQueue, models.CASCADE, related_name="fields")
    config = models.ForeignKey(ScoreConfig, models.PROTECT, related_name="+")
    position = models.PositiveSmallIntegerField()
    required = models.BooleanField(default=False)

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["queue", "config"], name="a_config_is_once_in_a_queue")]

    def __str__(self):
        return f"{self.config} in {self.queue}"


class QueueItem(models.Model):
    """One thing to read. It carries no foreign key to the trace, which may arrive later or be deleted."""

    id = models.CharField(primary_key=True, max_length=64, default=new_id)
    project = models.ForeignKey(Project, models.CASCADE, related_name="queue_items")
    queue = models.ForeignKey(AnnotationQueue, models.CASCADE, related_name="items", db_index=False)
    object_type = models.CharField(max_length=11, choices=ObjectType, default=ObjectType.TRACE)
    object_id = models.CharField(max_length=255)
    trace_id = models.CharField(
        max_length=255, blank=True, default="", help_text="The trace of an observation item."
    )
    position = models.BigIntegerField(help_text="Order within the queue, by when the item was added.")
    created_at = models.DateTimeField(auto_now_add=True)
    completed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["queue", "object_type", "object_id"], name="an_object_is_once_in_a_queue"
            )
        ]
        indexes = [
            models.Index(fields=["queue", "position"], name="queue_item_in_order"),
            models.Index(
                fields=["queue", "position"], condition=Q(completed_at=None), name="queue_item_open_in_order"
            ),
            models.Index(fields=["project", "object_id"], name="queue_item_by_object"),
        ]

    def __str__(self):
        return f"{self.object_type} {self.object_id} in {self.queue_id}"


class ReviewState(models.TextChoices):
    RESERVED = "reserved"
    COMPLETED = "completed"
    SKIPPED = "skipped"
    DEFERRED = "deferred"


class ReviewQuerySet(models.QuerySet):
    def holding(self):
        """Reviews that take up one of their item's places: completed, or reserved with a running lease."""
        return self.filter(
            Q(state=ReviewState.COMPLETED) | Q(state=ReviewState.RESERVED, reserved_until__gt=now())
        )


class Review(models.Model):
    """One reviewer's turn at one item. `draft` holds unsaved answers: {config id: {"value": …, "comment": …}}."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="reviews")
    item = models.ForeignKey(QueueItem, models.CASCADE, related_name="reviews", db_index=False)
    reviewer = models.ForeignKey(User, models.CASCADE, related_name="reviews")
    state = models.CharField(max_length=10, choices=ReviewState, default=ReviewState.RESERVED)
    reserved_until = models.DateTimeField()
    draft = models.JSONField(default=dict)
    draft_version = models.PositiveIntegerField(default=0)
    started_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    finished_at = models.DateTimeField(null=True)

    objects = ReviewQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "reviewer"], name="one_review_per_person_and_item")]
        indexes = [models.Index(fields=["reviewer", "-updated_at"], name="review_latest_of_person")]

    def __str__(self):
        return f"{self.reviewer} on {self.item_id} ({self.state})"

"""The review workspace: queues of things to read, and each reviewer's turn at each of them."""

from datetime import timedelta

from django.db import models
from django.db.models import Count, Exists, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils.functional import cached_property
from django.utils.timezone import now

from evalapp.core.ids import new_id
from evalapp.projects.models import Project, User
from evalapp.scores.models import DataType, ScoreConfig


class ObjectType(models.TextChoices):
    TRACE = "TRACE"
    OBSERVATION = "OBSERVATION"
    SESSION = "SESSION"


class QueueOrder(models.TextChoices):
    """In which order a queue hands out its items."""

    OLDEST = "oldest", "Oldest first"
    NEWEST = "newest", "Newest first"
    RANDOM = "random", "Random"


def _count(rows):
    counted = rows.filter(queue=OuterRef("pk")).order_by().values("queue").annotate(n=Count("pk"))
    return Coalesce(Subquery(counted.values("n")), 0)


class AnnotationQueueQuerySet(models.QuerySet):
    def open_to(self, user):
        """Queues in which `user` may review: those that name them, and those that name nobody."""
        named = AnnotationQueue.reviewers.through.objects.filter(annotationqueue_id=OuterRef("pk"))
        return self.filter(Exists(named.filter(user_id=user.pk)) | ~Exists(named))

    def with_progress(self, user):
        """With the numbers of items, of completed ones, and of those that `user` completed."""
        return self.annotate(
            total=_count(QueueItem.objects.all()),
            completed=_count(QueueItem.objects.exclude(completed_at=None)),
            mine=_count(Review.objects.filter(reviewer=user, state=ReviewState.COMPLETED)),
        )


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
    order = models.CharField(max_length=6, choices=QueueOrder, default=QueueOrder.OLDEST)
    order_seed = models.IntegerField(default=0, help_text="Another number gives another random order.")
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = AnnotationQueueQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="annotation_queue_names_are_unique"),
            models.CheckConstraint(condition=Q(reviewers_per_item__gte=1), name="an_item_needs_a_reviewer"),
        ]

    def __str__(self):
        return self.name

    @property
    def lease(self):
        """Return how long a reservation lasts without a sign of life."""
        return timedelta(minutes=self.reservation_minutes)

    @cached_property
    def questions(self):
        """The fields that reviewers answer, in order: those whose config is in use."""
        return [field for field in self.fields.select_related("config") if field.config.archived_at is None]

    @cached_property
    def note(self):
        """The first TEXT field, which is always in view and carries the first-failure marker; None without one."""
        return next((field for field in self.questions if field.config.data_type == DataType.TEXT), None)

    def progress(self):
        """Return how many items there are and how many have all their reviews."""
        return self.items.aggregate(total=Count("pk"), completed=Count("completed_at"))


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


class QueueItemQuerySet(models.QuerySet):
    def available(self):
        """Items with a free place: nobody, or fewer than the queue asks for, completed or holds them."""
        return self.filter(completed_at=None, available_from__lte=now())

    def in_order(self):
        return self.order_by("position")


class QueueItem(models.Model):
    """One thing to read. It carries no foreign key to the trace, which may arrive later or be deleted.

    `available_from` is when a place is free: the past while there is one, the end of the earliest lease while
    every place is taken. It is kept on the row so that whoever locks the row knows, without counting reviews.
    """

    id = models.CharField(primary_key=True, max_length=64, default=new_id)
    project = models.ForeignKey(Project, models.CASCADE, related_name="queue_items")
    queue = models.ForeignKey(AnnotationQueue, models.CASCADE, related_name="items", db_index=False)
    object_type = models.CharField(max_length=11, choices=ObjectType, default=ObjectType.TRACE)
    object_id = models.CharField(max_length=255)
    trace_id = models.CharField(
        max_length=255, blank=True, default="", help_text="The trace of an observation item."
    )
    position = models.BigIntegerField(help_text="Place in the order of the queue; may be negative.")
    inclusion_probability = models.FloatField(
        null=True, help_text="How probable it was that sampling chose this object; null when nothing was sampled."
    )
    available_from = models.DateTimeField(default=now)
    created_at = models.DateTimeField(auto_now_add=True)
    completed_at = models.DateTimeField(null=True)

    objects = QueueItemQuerySet.as_manager()

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

    @property
    def subject(self):
        """Return what a score of this item is about, as record_score takes it."""
        if self.object_type == ObjectType.SESSION:
            return {"session_id": self.object_id}
        if self.object_type == ObjectType.OBSERVATION:
            return {"trace_id": self.trace_id, "observation_id": self.object_id}
        return {"trace_id": self.object_id}


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

    def put_aside(self):
        return self.filter(state__in=[ReviewState.SKIPPED, ReviewState.DEFERRED])


class Review(models.Model):
    """One reviewer's turn at one item.

    `draft` holds the answers, saved while typing: {"answers": {config id: value}, "anchor": observation id}.
    It outlives completion, so that a finished review can be read and changed. `finished_version` is the draft
    version that was completed; a higher `draft_version` means edits that were not applied yet.
    """

    project = models.ForeignKey(Project, models.CASCADE, related_name="reviews")
    queue = models.ForeignKey(AnnotationQueue, models.CASCADE, related_name="reviews", db_index=False)
    item = models.ForeignKey(QueueItem, models.CASCADE, related_name="reviews", db_index=False)
    reviewer = models.ForeignKey(User, models.CASCADE, related_name="reviews", db_index=False)
    state = models.CharField(max_length=10, choices=ReviewState, default=ReviewState.RESERVED)
    reserved_until = models.DateTimeField()
    draft = models.JSONField(default=dict)
    draft_version = models.PositiveIntegerField(default=0)
    finished_version = models.PositiveIntegerField(null=True)
    reason = models.CharField(max_length=500, blank=True, help_text="Why the item was skipped.")
    times_put_aside = models.PositiveSmallIntegerField(default=0)
    started_at = models.DateTimeField(default=now)
    updated_at = models.DateTimeField(auto_now=True)
    finished_at = models.DateTimeField(null=True, help_text="When it was completed, skipped or deferred.")

    objects = ReviewQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "reviewer"], name="one_review_per_person_and_item")]
        indexes = [
            models.Index(fields=["queue", "reviewer", "started_at"], name="review_of_person_in_order"),
            models.Index(fields=["reviewer", "-updated_at"], name="review_latest_of_person"),
        ]

    def __str__(self):
        return f"{self.reviewer} on {self.item_id} ({self.state})"

    @property
    def has_unapplied_edits(self):
        return self.state == ReviewState.COMPLETED and self.draft_version != self.finished_version


class ActionKind(models.TextChoices):
    COMPLETE = "complete"
    SKIP = "skip"
    DEFER = "defer"


class ReviewAction(models.Model):
    """What a reviewer did last, and how the review and its scores were before: what Undo goes back to."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="review_actions")
    queue = models.ForeignKey(AnnotationQueue, models.CASCADE, related_name="+", db_index=False)
    review = models.ForeignKey(Review, models.CASCADE, related_name="actions")
    reviewer = models.ForeignKey(User, models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=10, choices=ActionKind)
    before = models.JSONField()
    at = models.DateTimeField(default=now)
    undone_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["reviewer", "queue", "-id"], condition=Q(undone_at=None), name="review_action_to_undo"
            )
        ]

    def __str__(self):
        return f"{self.kind} {self.review_id}"

"""What to run on: datasets and their items, which remember every state they were in."""

from django.db import models
from django.db.models import Q
from django.utils.timezone import now

from evalapp.core.ids import new_id
from evalapp.projects.models import Project


class Status(models.TextChoices):
    ACTIVE = "ACTIVE"
    ARCHIVED = "ARCHIVED"


class Dataset(models.Model):
    """A named collection of examples; slashes in its name are folders.

    `metadata` and the JSON Schemas are JSON text. `changed_at` is the newest version: the instant of the last
    change of an item. It orders writers, because each one moves it forward before it writes.
    """

    id = models.CharField(primary_key=True, max_length=64, default=new_id)
    project = models.ForeignKey(Project, models.CASCADE, related_name="datasets", db_index=False)
    name = models.CharField(max_length=255)
    description = models.TextField(null=True)
    metadata = models.TextField(null=True)
    input_schema = models.TextField(null=True)
    expected_output_schema = models.TextField(null=True)
    changed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="dataset_names_are_unique")]
        indexes = [models.Index(fields=["project", "-created_at", "id"], name="dataset_newest_first")]

    def __str__(self):
        return self.name


class DatasetItemQuerySet(models.QuerySet):
    def current(self):
        """The items as they are now."""
        return self.filter(valid_to=None, deleted=False)

    def at(self, version):
        """The items as they were at that instant."""
        valid = Q(valid_to=None) | Q(valid_to__gt=version)
        return self.filter(valid, valid_from__lte=version, deleted=False)

    def active(self):
        """Without the archived ones, which experiments skip."""
        return self.filter(status=Status.ACTIVE)

    def newest_first(self):
        return self.order_by("-created_at", "item_id")


class DatasetItem(models.Model):
    """One state of an item, from `valid_from` until before `valid_to`.

    A change closes the row and adds the next one; a delete adds a tombstone. No row is ever overwritten, so the
    dataset at any instant can be read. The payloads are JSON text, null where nothing was given.
    """

    project = models.ForeignKey(Project, models.CASCADE, related_name="dataset_items", db_index=False)
    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="items", db_index=False)
    item_id = models.CharField(max_length=255, default=new_id)
    status = models.CharField(max_length=8, choices=Status, default=Status.ACTIVE)
    input = models.TextField(null=True)
    expected_output = models.TextField(null=True)
    metadata = models.TextField(null=True)
    source_trace_id = models.CharField(max_length=255, null=True)
    source_observation_id = models.CharField(max_length=255, null=True)
    created_at = models.DateTimeField(default=now, help_text="When the item came into being, in all its states.")
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(null=True)
    deleted = models.BooleanField(default=False)

    objects = DatasetItemQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "item_id"],
                condition=Q(valid_to=None, deleted=False),
                name="an_item_has_one_current_state",
            ),
            models.UniqueConstraint(
                fields=["dataset", "item_id", "valid_from"], name="an_item_changes_once_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gt=models.F("valid_from")),
                name="an_item_state_ends_after_it_begins",
            ),
        ]
        indexes = [
            models.Index(
                fields=["dataset", "-created_at", "item_id"],
                condition=Q(valid_to=None, deleted=False),
                name="item_current_newest_first",
            ),
            models.Index(
                fields=["project", "-created_at", "item_id"],
                condition=Q(valid_to=None, deleted=False),
                name="item_newest_of_project",
            ),
            models.Index(fields=["dataset", "valid_from"], name="item_by_version"),
            models.Index(
                fields=["project", "source_trace_id"],
                condition=~Q(source_trace_id=None),
                name="item_by_source_trace",
            ),
        ]

    def __str__(self):
        return self.item_id

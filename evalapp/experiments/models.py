"""What was tried on which data: a dataset run is one execution of a task over the items of a dataset."""

from django.db import models

from evalapp.core.ids import new_id
from evalapp.datasets.models import Dataset
from evalapp.projects.models import Project


class DatasetRun(models.Model):
    """An experiment. `key` is its id for clients, unique in the project; local data has no dataset.

    It is known from the API (Python 3 and 4, JavaScript), from attributes of spans (Python 5), or from both.
    `metadata` is JSON text.
    """

    project = models.ForeignKey(Project, models.CASCADE, related_name="dataset_runs", db_index=False)
    key = models.CharField(max_length=255)
    dataset = models.ForeignKey(Dataset, models.CASCADE, null=True, related_name="runs", db_index=False)
    name = models.TextField()
    description = models.TextField(null=True)
    metadata = models.TextField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField(help_text="Of what was said about it; older words only fill gaps.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "key"], name="run_keys_are_unique")]
        indexes = [
            models.Index(fields=["dataset", "-created_at", "-id"], name="run_newest_of_dataset"),
        ]

    def __str__(self):
        return self.name


class DatasetRunItem(models.Model):
    """One item's turn in a run: the trace of the task. Repetitions of an item are rows with other traces.

    `observation_id` names the span of the task, whose start and end these are. `expected_output` and
    `item_metadata` are JSON text as the run saw them; `item_version` tells which state of the item that was.
    """

    id = models.CharField(primary_key=True, max_length=64, default=new_id)
    project = models.ForeignKey(Project, models.CASCADE, related_name="dataset_run_items", db_index=False)
    run = models.ForeignKey(DatasetRun, models.CASCADE, related_name="items", db_index=False)
    item_id = models.CharField(max_length=255)
    trace_id = models.CharField(max_length=255)
    observation_id = models.CharField(max_length=255, null=True)
    item_version = models.DateTimeField(null=True)
    expected_output = models.TextField(null=True)
    item_metadata = models.TextField(null=True)
    start_time = models.DateTimeField()
    end_time = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "item_id", "trace_id"], name="a_trace_runs_an_item_once")
        ]
        indexes = [
            models.Index(fields=["project", "-start_time", "-id"], name="run_item_newest_first"),
            models.Index(fields=["run", "-created_at"], name="run_item_by_run"),
            models.Index(fields=["project", "item_id"], name="run_item_by_item"),
            models.Index(fields=["project", "trace_id"], name="run_item_by_trace"),
        ]

    def __str__(self):
        return f"{self.item_id} in {self.trace_id}"


class RunDeletion(models.Model):
    """Remembers that a run was deleted, so that the spans it was made of don't bring it back."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="+", db_index=False)
    key = models.CharField(max_length=255)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "key"], name="a_run_deletion_is_noted_once")]

    def __str__(self):
        return self.key


class SpanReading(models.Model):
    """Until when the spans of a project were read for what they say about experiments."""

    project = models.OneToOneField(Project, models.CASCADE, primary_key=True, related_name="+")
    until = models.DateTimeField()

    def __str__(self):
        return f"{self.project_id} until {self.until}"

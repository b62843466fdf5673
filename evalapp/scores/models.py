"""Judgements: what people, programs and evaluators say about traces, and the configs that define the questions."""

from django.db import models
from django.db.models import F, Q
from django.utils.timezone import now

from evalapp.core.ids import new_id
from evalapp.projects.models import Project, User


class DataType(models.TextChoices):
    NUMERIC = "NUMERIC", "Numeric"
    CATEGORICAL = "CATEGORICAL", "Categorical"
    BOOLEAN = "BOOLEAN", "Boolean"
    TEXT = "TEXT", "Text"
    CORRECTION = "CORRECTION", "Correction"


class Source(models.TextChoices):
    API = "API"
    EVAL = "EVAL"
    ANNOTATION = "ANNOTATION"


class ScoreConfigQuerySet(models.QuerySet):
    def active(self):
        return self.filter(archived_at=None)


class ScoreConfig(models.Model):
    """A question that reviewers and programs answer with a score. The data type never changes."""

    CONFIGURABLE = [DataType.BOOLEAN, DataType.CATEGORICAL, DataType.NUMERIC, DataType.TEXT]

    id = models.CharField(primary_key=True, max_length=64, default=new_id)
    project = models.ForeignKey(Project, models.CASCADE, related_name="score_configs")
    name = models.CharField(max_length=35)
    data_type = models.CharField(max_length=11, choices=DataType)
    min_value = models.FloatField(null=True, blank=True)
    max_value = models.FloatField(null=True, blank=True)
    categories = models.JSONField(default=list, blank=True, help_text='[{"label": "good", "value": 1}, …]')
    description = models.TextField(blank=True)
    guidance = models.TextField(blank=True, help_text="Markdown shown to reviewers beside the field.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    archived_at = models.DateTimeField(null=True)
    archived_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")

    objects = ScoreConfigQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "name"],
                condition=Q(archived_at=None),
                name="active_score_config_names_are_unique",
            ),
            models.CheckConstraint(
                condition=Q(min_value=None) | Q(max_value=None) | Q(max_value__gt=F("min_value")),
                name="score_config_max_exceeds_min",
            ),
        ]

    def __str__(self):
        return self.name


class ScoreQuerySet(models.QuerySet):
    def newest_first(self):
        return self.order_by("-timestamp", "-id")

    def of_trace(self, trace_id):
        return self.filter(trace_id=trace_id)

    def chips_of_traces(self, trace_ids, limit=1000):
        """{trace id: its newest scores about the whole trace}; texts don't fit a cell and are left out."""
        scores = self.filter(trace_id__in=[one for one in trace_ids if "\0" not in one], observation_id="")
        chips = {}
        for score in scores.exclude(data_type__in=[DataType.TEXT, DataType.CORRECTION]).newest_first()[:limit]:
            cell = chips.setdefault(score.trace_id, {})
            cell.setdefault(score.name, score)
        return {trace_id: list(cell.values()) for trace_id, cell in chips.items()}

    def by_people(self):
        return self.filter(source=Source.ANNOTATION)


class Score(models.Model):
    """One judgement on a trace, observation, session or dataset run.

    There is no foreign key to its subject: a score may arrive before its trace. Subject ids are empty rather
    than null so that they can take part in keys. `value` holds numbers, booleans (0 or 1) and the numeric value
    of a category; `string_value` holds labels, notes and corrections. The id is unique per project.
    """

    pk = models.CompositePrimaryKey("project_id", "id")
    project = models.ForeignKey(Project, models.CASCADE, related_name="scores", db_index=False)
    id = models.CharField(max_length=255, default=new_id)
    trace_id = models.CharField(max_length=255, default="", blank=True)
    observation_id = models.CharField(max_length=255, default="", blank=True)
    session_id = models.CharField(max_length=255, default="", blank=True)
    dataset_run_id = models.CharField(max_length=255, default="", blank=True)
    name = models.CharField(max_length=255)
    data_type = models.CharField(max_length=11, choices=DataType)
    source = models.CharField(max_length=10, choices=Source)
    value = models.FloatField(null=True)
    string_value = models.TextField(null=True)
    comment = models.TextField(blank=True, default="")
    metadata = models.JSONField(default=dict)
    environment = models.CharField(max_length=40, default="default")
    config = models.ForeignKey(ScoreConfig, models.PROTECT, null=True, related_name="scores", db_index=False)
    queue_id = models.CharField(max_length=64, default="", blank=True)
    author = models.ForeignKey(User, models.SET_NULL, null=True, related_name="scores", db_index=False)
    execution_trace_id = models.CharField(max_length=255, default="", blank=True)
    timestamp = models.DateTimeField(default=now)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ScoreQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["project", "-timestamp", "-id"], name="score_newest_first"),
            models.Index(fields=["project", "trace_id"], condition=~Q(trace_id=""), name="score_by_trace"),
            models.Index(fields=["project", "session_id"], condition=~Q(session_id=""), name="score_by_session"),
            models.Index(
                fields=["project", "dataset_run_id"], condition=~Q(dataset_run_id=""), name="score_by_run"
            ),
            models.Index(fields=["project", "name", "value"], name="score_by_name_and_value"),
            models.Index(
                fields=["project", "queue_id", "-timestamp"], condition=~Q(queue_id=""), name="score_by_queue"
            ),
            models.Index(fields=["config"], name="score_by_config"),
            models.Index(fields=["author"], name="score_by_author"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=(
                    (~Q(trace_id="") & Q(session_id="", dataset_run_id=""))
                    | (~Q(session_id="") & Q(trace_id="", dataset_run_id="", observation_id=""))
                    | (~Q(dataset_run_id="") & Q(trace_id="", session_id="", observation_id=""))
                ),
                name="a_score_has_exactly_one_subject",
            )
        ]

    def __str__(self):
        return f"{self.name} = {self.display_value}"

    @property
    def display_value(self):
        """Return the judgement as people read it."""
        if self.data_type == DataType.NUMERIC:
            return f"{self.value:g}"
        return self.string_value or ""

"""What happened: traces, their observations, and the sessions that group traces.

Ids are the clients' own strings, unique per project. There are no foreign keys among these tables: children
arrive before parents and scores before traces. Rows are written by store.py alone; payloads are text, never
JSONB, because parsing them costs more than storing them.
"""

import json

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import connection, models
from django.db.models import Q
from django.utils.timezone import now

from evalapp.core.ids import new_id
from evalapp.projects.models import Project


class ObservationType(models.TextChoices):
    SPAN = "SPAN"
    GENERATION = "GENERATION"
    EVENT = "EVENT"
    AGENT = "AGENT"
    TOOL = "TOOL"
    CHAIN = "CHAIN"
    RETRIEVER = "RETRIEVER"
    EVALUATOR = "EVALUATOR"
    EMBEDDING = "EMBEDDING"
    GUARDRAIL = "GUARDRAIL"


class Level(models.TextChoices):
    DEBUG = "DEBUG"
    DEFAULT = "DEFAULT"
    WARNING = "WARNING"
    ERROR = "ERROR"


class TraceQuerySet(models.QuerySet):
    def newest_first(self):
        return self.order_by("-timestamp", "-id")

    def in_bulk_by_id(self, ids):
        """Return {trace id: trace} of one project's traces."""
        return {trace.id: trace for trace in self.filter(id__in=ids)}

    def for_list(self):
        """Without the payloads that no list shows."""
        return self.defer("input", "output", "metadata", "precedence")

    def mentioning(self, text):
        """Those with `text` in the name, or whose id starts with it.

        Names are few, so they are searched first and their traces found by index: a search in all rows would read
        the whole table when nothing matches.
        """
        return self.filter(Q(name__in=self.names_with(text)) | Q(id=text))

    def names_with(self, text, limit=200):
        """The distinct names that hold `text`, by jumping from name to name in the index."""
        project_id = self._hints["instance"].pk
        with connection.cursor() as cursor:
            cursor.execute(_NAMES, {"project": project_id, "pattern": f"%{_like(text)}%", "limit": limit})
            return [name for (name,) in cursor.fetchall()]

    def tagged(self, tag):
        return self.filter(tags__contains=[tag])

    def of_user(self, user_id):
        return self.filter(user_id=user_id)

    def of_session(self, session_id):
        return self.filter(session_id=session_id)

    def in_environment(self, environment):
        return self.filter(environment=environment)

    def with_errors(self):
        return self.filter(error_count__gt=0)

    def between(self, since, until):
        traces = self.filter(timestamp__gte=since) if since else self
        return traces.filter(timestamp__lte=until) if until else traces

    def beside(self, trace):
        """The ids of the next newer and the next older trace, or None: two steps in the index."""
        newer = self.filter(timestamp__gte=trace.timestamp).exclude(timestamp=trace.timestamp, id__lte=trace.id)
        older = self.filter(timestamp__lte=trace.timestamp).exclude(timestamp=trace.timestamp, id__gte=trace.id)
        return (
            newer.order_by("timestamp", "id").values_list("id", flat=True).first(),
            older.order_by("-timestamp", "-id").values_list("id", flat=True).first(),
        )

    def summarized_by_session(self, session_ids):
        """{session id: its counts and last words} for the sessions of one page."""
        rows = (
            self.filter(session_id__in=session_ids)
            .values("session_id")
            .annotate(
                traces=models.Count("id"),
                errors=models.Sum("error_count"),
                tokens=models.Sum("total_tokens"),
                cost=models.Sum("total_cost"),
                user=models.Max("user_id"),
            )
        )
        return {row["session_id"]: row for row in rows.order_by()}


def _like(text):
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


_NAMES = """
WITH RECURSIVE names AS (
    (SELECT name FROM traces_trace WHERE project_id = %(project)s AND name IS NOT NULL ORDER BY name LIMIT 1)
    UNION ALL
    SELECT (
        SELECT name FROM traces_trace WHERE project_id = %(project)s AND name > names.name ORDER BY name LIMIT 1
    )
    FROM names WHERE names.name IS NOT NULL
)
SELECT name FROM names WHERE name ILIKE %(pattern)s LIMIT %(limit)s
"""


class Trace(models.Model):
    """One request of the application, synthesised from its spans.

    `input` and `output` hold only what a client set on the trace itself; otherwise they are those of the root
    observation, which is not stored twice. The previews (at most 300 characters) are what lists show.
    The counters are sums over the trace's observations, kept by store.py in the same transaction.
    """

    pk = models.CompositePrimaryKey("project_id", "id")
    project = models.ForeignKey(Project, models.CASCADE, related_name="traces", db_index=False)
    id = models.CharField(max_length=255, default=new_id)
    timestamp = models.DateTimeField(default=now, help_text="The earliest start of an observation.")
    end_time = models.DateTimeField(null=True, help_text="The latest start or end of an observation.")
    name = models.TextField(null=True)
    user_id = models.TextField(null=True)
    session_id = models.TextField(null=True)
    release = models.TextField(null=True)
    version = models.TextField(null=True)
    environment = models.TextField(default="default")
    public = models.BooleanField(default=False)
    bookmarked = models.BooleanField(default=False)
    tags = ArrayField(models.TextField(), default=list)
    metadata = models.JSONField(default=dict)
    input = models.TextField(null=True)
    output = models.TextField(null=True)
    input_preview = models.TextField(null=True)
    output_preview = models.TextField(null=True)
    root_observation_id = models.TextField(null=True)
    observation_count = models.PositiveIntegerField(default=0)
    error_count = models.PositiveIntegerField(default=0)
    input_tokens = models.BigIntegerField(default=0)
    output_tokens = models.BigIntegerField(default=0)
    total_tokens = models.BigIntegerField(default=0)
    total_cost = models.FloatField(null=True, help_text="US dollars.")
    precedence = models.JSONField(
        default=dict,
        help_text="Field → how strong the span was that set it, so that the order of arrival does not matter.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = TraceQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["project", "-timestamp", "-id"], name="trace_newest_first"),
            models.Index(
                fields=["project", "user_id", "-timestamp"], condition=~Q(user_id=None), name="trace_by_user"
            ),
            models.Index(
                fields=["project", "session_id", "-timestamp"],
                condition=~Q(session_id=None),
                name="trace_by_session",
            ),
            models.Index(fields=["project", "name", "-timestamp"], name="trace_by_name"),
            models.Index(fields=["project", "environment", "-timestamp"], name="trace_by_environment"),
            models.Index(
                fields=["project", "-timestamp"], condition=Q(error_count__gt=0), name="trace_with_errors"
            ),
            GinIndex(fields=["tags"], name="trace_by_tag"),
            GinIndex(fields=["metadata"], name="trace_by_metadata", opclasses=["jsonb_path_ops"]),
        ]

    def __str__(self):
        return f"{self.name or 'trace'} {self.id}"

    @property
    def latency(self):
        """Return the seconds from the first start to the last end, or None while nothing has ended."""
        return (self.end_time - self.timestamp).total_seconds() if self.end_time else None

    @property
    def milliseconds(self):
        """Return the latency as templates show it."""
        return (self.end_time - self.timestamp).total_seconds() * 1000 if self.end_time else None


class ObservationQuerySet(models.QuerySet):
    def of_trace(self, trace):
        """The trace's observations, in order. The time range lets PostgreSQL skip the other partitions."""
        return self.filter(
            trace_id=trace.id,
            start_time__gte=trace.timestamp,
            start_time__lte=trace.end_time or trace.timestamp,
        ).order_by("start_time", "id")

    def of_traces(self, traces):
        """The observations of several traces (a list), in order, bounded by their common time range."""
        if not traces:
            return self.none()
        return self.filter(
            trace_id__in=[trace.id for trace in traces],
            start_time__gte=min(trace.timestamp for trace in traces),
            start_time__lte=max(trace.end_time or trace.timestamp for trace in traces),
        ).order_by("start_time", "id")

    def roots_of(self, traces):
        """Return {trace id: root observation} for those of the traces (a list) that have one."""
        roots = {trace.id: trace.root_observation_id for trace in traces if trace.root_observation_id}
        found = self.of_traces(traces).filter(id__in=roots.values())
        return {row.trace_id: row for row in found if roots.get(row.trace_id) == row.id}


class Observation(models.Model):
    """One step of a trace. Partitioned by start time; its identity is (project, trace, id).

    `input`, `output`, `metadata`, `model_parameters`, `usage` and `cost` are JSON text as received (input and
    output may be any text). Token counts are whole tokens, `total_cost` US dollars.
    """

    pk = models.CompositePrimaryKey("project_id", "trace_id", "id", "start_time")
    project = models.ForeignKey(Project, models.DO_NOTHING, related_name="observations", db_constraint=False)
    trace_id = models.TextField()
    id = models.TextField()
    parent_id = models.TextField(null=True)
    start_time = models.DateTimeField()
    end_time = models.DateTimeField(null=True)
    completion_start_time = models.DateTimeField(null=True)
    type = models.TextField(choices=ObservationType, default=ObservationType.SPAN)
    name = models.TextField(null=True)
    level = models.TextField(choices=Level, default=Level.DEFAULT)
    status_message = models.TextField(null=True)
    model = models.TextField(null=True)
    input_tokens = models.BigIntegerField(null=True)
    output_tokens = models.BigIntegerField(null=True)
    total_tokens = models.BigIntegerField(null=True)
    total_cost = models.FloatField(null=True)
    is_root = models.BooleanField(default=False)
    environment = models.TextField(default="default")
    version = models.TextField(null=True)
    prompt_name = models.TextField(null=True)
    prompt_version = models.IntegerField(null=True)
    model_parameters = models.TextField(null=True)
    usage = models.TextField(null=True)
    cost = models.TextField(null=True)
    input = models.TextField(null=True)
    output = models.TextField(null=True)
    metadata = models.TextField(null=True)
    experiment_id = models.TextField(null=True)
    experiment = models.TextField(
        null=True, help_text="JSON of langfuse.experiment.*, on the one span that stands for the item."
    )
    created_at = models.DateTimeField(default=now)

    objects = ObservationQuerySet.as_manager()

    class Meta:
        managed = False
        db_table = "traces_observation"

    def __str__(self):
        return f"{self.type} {self.name} {self.id}"

    @property
    def latency(self):
        """Return the seconds between start and end, or None while it has not ended."""
        return (self.end_time - self.start_time).total_seconds() if self.end_time else None

    @property
    def milliseconds(self):
        """Return the latency as templates show it."""
        return (self.end_time - self.start_time).total_seconds() * 1000 if self.end_time else None


class Session(models.Model):
    """Traces that belong together, such as one chat. Written at ingest, so that lists need no grouping."""

    pk = models.CompositePrimaryKey("project_id", "id")
    project = models.ForeignKey(Project, models.CASCADE, related_name="sessions", db_index=False)
    id = models.TextField()
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()
    environment = models.TextField(default="default")
    bookmarked = models.BooleanField(default=False)

    class Meta:
        indexes = [models.Index(fields=["project", "-last_seen", "-id"], name="session_newest_first")]

    def __str__(self):
        return self.id


class ModelDefinitionQuerySet(models.QuerySet):
    def newest_first(self):
        return self.order_by("-created_at", "-pk")

    def of(self, project):
        """Return [(match pattern, name, prices)] of the project, the newest first.

        In SQL, because ingest asks for every small export, and making the statement was a fifth of its time.
        """
        with connection.cursor() as cursor:
            cursor.execute(_DEFINITIONS, [project.pk])
            return [(pattern, name, json.loads(prices)) for pattern, name, prices in cursor.fetchall()]


_DEFINITIONS = """
    SELECT match_pattern, name, prices::text FROM traces_modeldefinition WHERE project_id = %s
    ORDER BY created_at DESC, id DESC"""


class ModelDefinition(models.Model):
    """What a project pays for a model: dollars a token, by usage key. Where several match, the newest counts."""

    id = models.CharField(primary_key=True, max_length=64, default=new_id)
    project = models.ForeignKey(Project, models.CASCADE, related_name="model_definitions")
    name = models.CharField(max_length=255)
    match_pattern = models.CharField(max_length=1000, help_text="A regular expression for the whole model name.")
    prices = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ModelDefinitionQuerySet.as_manager()

    def __str__(self):
        return self.name

    @property
    def listed_prices(self):
        """Return [(usage key, dollars a million tokens)], as providers list them."""
        return [(key, price * 1_000_000) for key, price in self.prices.items()]

"""Recording judgements, and keeping the configs that define the questions."""

import hashlib
import json
import math

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.dateparse import parse_datetime
from django.utils.timezone import now

from evalapp.projects.actions import audit, audit_update
from evalapp.projects.models import User
from evalapp.scores.models import DataType, Score, ScoreConfig, Source

TEXT_LIMIT = 10_000
CORRECTION_NAME = "output"
_LABELS = {DataType.BOOLEAN: {0.0: "False", 1.0: "True"}}
# created_at is missing on purpose: a score that is sent again keeps the moment it was first stored.
_OVERWRITTEN = [
    "trace_id",
    "observation_id",
    "session_id",
    "dataset_run_id",
    "name",
    "data_type",
    "source",
    "value",
    "string_value",
    "comment",
    "metadata",
    "environment",
    "config",
    "queue_id",
    "author",
    "execution_trace_id",
    "timestamp",
    "updated_at",
]
_SNAPSHOT = ["id", *(name for name in _OVERWRITTEN if name not in {"config", "author", "updated_at"})]
_SNAPSHOT += ["config_id", "author_id"]


def human_score_id(*, project, author, config=None, name="", **subject):
    """Return the id under which a person's judgement of a subject is kept.

    Judging again replaces one's own score and never a colleague's. `subject` is what is judged (trace_id=…,
    observation_id=…, …); a note's anchor isn't part of it, so that moving the anchor moves the note.
    """
    parts = [project.pk, *(subject.get(key) or "" for key in _SUBJECTS), config.pk if config else name, author.pk]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


_SUBJECTS = ("trace_id", "observation_id", "session_id", "dataset_run_id")


def build_score(
    *,
    project,
    value,
    name="",
    config=None,
    data_type=None,
    source=Source.API,
    trace_id="",
    observation_id="",
    session_id="",
    dataset_run_id="",
    author=None,
    comment="",
    metadata=None,
    environment="default",
    queue_id="",
    execution_trace_id="",
    timestamp=None,
    id=None,
):
    """Check a judgement against every rule and return it as an unsaved Score. Raises ValidationError."""
    subject = {
        "trace_id": trace_id or "",
        "observation_id": observation_id or "",
        "session_id": session_id or "",
        "dataset_run_id": dataset_run_id or "",
    }
    _check_subject(**subject)
    if config is not None:
        _check_config(config, project=project, name=name, data_type=data_type)
        name, data_type = config.name, DataType(config.data_type)
    data_type = _data_type(data_type, value)
    if data_type == DataType.CORRECTION:
        if not subject["trace_id"]:
            raise ValidationError({"value": "A correction belongs to a trace or an observation."})
        name = CORRECTION_NAME
    if not name:
        raise ValidationError({"name": "A score needs a name."})
    number, text = _CLEANERS[data_type](value, config)
    score = Score(
        project=project,
        **subject,
        name=_plain(name, "name", 255),
        data_type=data_type,
        source=Source(source),
        value=number,
        string_value=text,
        comment=_plain(comment or "", "comment"),
        metadata=_storable(metadata if metadata is not None else {}),
        environment=environment or "default",
        config=config,
        queue_id=queue_id or "",
        author=author,
        execution_trace_id=execution_trace_id or "",
        timestamp=timestamp or now(),
        updated_at=now(),
    )
    for field in (*_SUBJECTS, "environment", "queue_id", "execution_trace_id"):
        _plain(getattr(score, field), field, Score._meta.get_field(field).max_length)
    if id:
        score.id = _plain(str(id), "id", 255)
    elif author is not None:
        score.id = human_score_id(project=project, author=author, config=config, name=name, **subject)
    return score


def save_scores(scores):
    """Store built scores in one statement; a score with the id of a stored one replaces it."""
    # PostgreSQL refuses to update one row twice in a statement: of equal ids the last one counts.
    last = {(score.project_id, score.id): score for score in scores}
    # In one order, so that two batches that share ids wait for each other instead of locking each other out.
    rows = [last[key] for key in sorted(last)]
    Score.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["project", "id"], update_fields=_OVERWRITTEN
    )
    return rows


def record_score(**judgement):
    """Record one judgement and return the Score: the one door for people, programs and evaluators.

    Takes the arguments of `build_score`. The same id again replaces the score; a judgement with an author and
    no id replaces that author's earlier judgement of the same subject.
    """
    return save_scores([build_score(**judgement)])[0]


def clear_score(*, project, id):
    """Delete a score; return whether there was one."""
    deleted, _ = project.scores.filter(id=id).delete()
    return bool(deleted)


def _check_subject(*, trace_id, observation_id, session_id, dataset_run_id):
    if sum(map(bool, (trace_id, session_id, dataset_run_id))) != 1:
        raise ValidationError("A score has exactly one subject: traceId, sessionId or datasetRunId.")
    if observation_id and not trace_id:
        raise ValidationError({"observation_id": "An observationId needs its traceId."})


def _check_config(config, *, project, name, data_type):
    if config.project_id != project.pk:
        raise ValidationError({"config": "The score config belongs to another project."})
    if config.archived_at:
        raise ValidationError({"config": f"The score config “{config.name}” is archived."})
    if data_type and data_type != config.data_type:
        raise ValidationError({"data_type": f"The score config “{config.name}” is {config.data_type}."})
    if name and name != config.name:
        raise ValidationError({"name": f"The name differs from that of its score config, “{config.name}”."})


def _data_type(data_type, value):
    if data_type:
        if data_type not in DataType.values:
            raise ValidationError({"data_type": f"Unknown data type “{data_type}”."})
        return DataType(data_type)
    if isinstance(value, bool):
        return DataType.BOOLEAN
    return DataType.CATEGORICAL if isinstance(value, str) else DataType.NUMERIC


def _number(value):
    try:
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return float(value)
    except OverflowError:  # an integer beyond every float
        pass
    raise ValidationError({"value": "The value must be a finite number."})


def _numeric(value, config):
    number = _number(value)
    if config and config.min_value is not None and number < config.min_value:
        raise ValidationError({"value": f"The value is below the minimum, {config.min_value:g}."})
    if config and config.max_value is not None and number > config.max_value:
        raise ValidationError({"value": f"The value is above the maximum, {config.max_value:g}."})
    return number, None


def _boolean(value, config):
    if not isinstance(value, int | float) or value not in (0, 1):
        raise ValidationError({"value": "A boolean is 0 or 1."})
    return float(value), _LABELS[DataType.BOOLEAN][float(value)]


def _categorical(value, config):
    text = _text(value)
    if config is None:
        return None, text
    for category in config.categories:
        if category["label"] == text:
            return float(category["value"]), text
    raise ValidationError({"value": f"“{text}” is not one of the categories of “{config.name}”."})


def _text(value, config=None):
    if not isinstance(value, str) or not value:
        raise ValidationError({"value": "The value must be a text that isn't empty."})
    return _plain(value, "value")


def _note(value, config):
    text = _text(value)
    if len(text) > TEXT_LIMIT:
        raise ValidationError(
            {"value": f"A text has at most {TEXT_LIMIT:,} characters; this one has {len(text):,}."}
        )
    return None, text


def _correction(value, config):
    if config is not None:
        raise ValidationError({"config": "A correction has no score config."})
    return None, _text(value)


_CLEANERS = {
    DataType.NUMERIC: _numeric,
    DataType.BOOLEAN: _boolean,
    DataType.CATEGORICAL: _categorical,
    DataType.TEXT: _note,
    DataType.CORRECTION: _correction,
}


def _plain(text, field, limit=None):
    """Return the text if PostgreSQL can store it: no NUL, no half of a surrogate pair."""
    if limit and len(text) > limit:
        raise ValidationError({field: f"At most {limit} characters."})
    try:
        if "\0" in text:
            raise ValueError
        text.encode()
    except ValueError as error:
        raise ValidationError({field: "The text holds a NUL or half of a surrogate pair."}) from error
    return text


def _storable(metadata):
    try:
        text = json.dumps(metadata, ensure_ascii=False, allow_nan=False)
        text.encode()
    except (TypeError, ValueError) as error:
        raise ValidationError({"metadata": "The metadata is not JSON that can be stored."}) from error
    if "\\u0000" in text.replace("\\\\", ""):
        raise ValidationError({"metadata": "The metadata holds a NUL."})
    return metadata


@transaction.atomic
def create_score_config(*, project, by=None, **fields):
    """Create a score config. Raises ValidationError, keyed by field."""
    config = ScoreConfig(project=project, **fields)
    if config.data_type not in ScoreConfig.CONFIGURABLE:
        raise ValidationError({"data_type": "A score config is numeric, categorical, boolean or text."})
    _save_config(config, force_insert=True)
    audit(project=project, by=by, action="create", target=config, after=_described(config))
    return config


@transaction.atomic
def update_score_config(config, *, by=None, archived=None, **fields):
    """Change a score config. Scores that were given keep their values; the data type never changes."""
    if archived is not None and archived != (config.archived_at is not None):
        config.archived_at, config.archived_by = (now(), by) if archived else (None, None)
    if fields.get("data_type", config.data_type) != config.data_type:
        raise ValidationError({"data_type": "The data type of a score config never changes."})
    before = _described(ScoreConfig.objects.get(pk=config.pk))
    for name, value in fields.items():
        setattr(config, name, value)
    _save_config(config)
    audit_update(project=config.project, by=by, target=config, before=before, after=_described(config))
    return config


@transaction.atomic
def archive_score_config(config, *, by):
    """Take a config out of use; its scores stay, and it can be restored."""
    if config.archived_at is None:
        config.archived_at, config.archived_by = now(), by if isinstance(by, User) else None
        config.save(update_fields=["archived_at", "archived_by", "updated_at"])
        audit(project=config.project, by=by, action="archive", target=config)
    return config


@transaction.atomic
def restore_score_config(config, *, by):
    """Put an archived config back into use, unless its name has been taken meanwhile."""
    config.archived_at = config.archived_by = None
    _save_config(config)
    audit(project=config.project, by=by, action="restore", target=config)
    return config


def _described(config):
    """What the audit log says about a config."""
    names = ["name", "data_type", "min_value", "max_value", "categories", "description", "guidance"]
    return {name: getattr(config, name) for name in names}


def _save_config(config, **options):
    config.name = _plain((config.name or "").strip(), "name", 35)
    if not config.name:
        raise ValidationError({"name": "A score config needs a name."})
    for field in ("description", "guidance"):
        _plain(getattr(config, field), field)
    if config.data_type == DataType.NUMERIC:
        _check_range(config)
    else:
        config.min_value = config.max_value = None
    config.categories = _categories(config)
    try:
        with transaction.atomic():
            config.save(**options)
    except IntegrityError as error:
        if "active_score_config_names_are_unique" in str(error):
            raise ValidationError({"name": f"There is already a score config “{config.name}”."}) from error
        raise


def _check_range(config):
    for field in ("min_value", "max_value"):
        if getattr(config, field) is not None:
            setattr(config, field, _number(getattr(config, field)))
    if None not in (config.min_value, config.max_value) and config.max_value <= config.min_value:
        raise ValidationError({"max_value": "The maximum must exceed the minimum."})


def _categories(config):
    if config.data_type == DataType.BOOLEAN:
        return [{"label": "True", "value": 1}, {"label": "False", "value": 0}]
    if config.data_type != DataType.CATEGORICAL:
        return []
    cleaned = []
    for category in config.categories if isinstance(config.categories, list) else []:
        if not isinstance(category, dict) or not isinstance(category.get("label"), str):
            raise ValidationError({"categories": "Each category is {label, value}."})
        label = _plain(category["label"].strip(), "categories", 255)
        if not label:
            raise ValidationError({"categories": "A category needs a label."})
        try:
            cleaned.append({"label": label, "value": _number(category.get("value"))})
        except ValidationError as error:
            raise ValidationError({"categories": f"The value of “{label}” is not a number."}) from error
    if not cleaned:
        raise ValidationError({"categories": "A categorical config needs at least one category."})
    if len({c["label"] for c in cleaned}) < len(cleaned) or len({c["value"] for c in cleaned}) < len(cleaned):
        raise ValidationError({"categories": "Labels and values of the categories must be unique."})
    for category in cleaned:
        if category["value"].is_integer():
            category["value"] = int(category["value"])
    return cleaned


def snapshot_scores(*, project, ids):
    """Return {id: the score as JSON, or None where there is none}: what `restore_scores` goes back to."""
    snapshot = dict.fromkeys(ids)
    for row in project.scores.filter(id__in=list(ids)).values(*_SNAPSHOT):
        row["timestamp"] = row["timestamp"].isoformat()
        snapshot[row["id"]] = row
    return snapshot


def restore_scores(*, project, snapshot):
    """Make the scores of a snapshot what they were when it was taken."""
    project.scores.filter(id__in=[id for id, row in snapshot.items() if row is None]).delete()
    rows = [row | {"timestamp": parse_datetime(row["timestamp"])} for row in snapshot.values() if row is not None]
    save_scores([Score(project=project, updated_at=now(), **row) for row in rows])

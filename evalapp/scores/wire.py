"""Scores and score configs in the shapes of generations 1 and 2 of the API."""

from evalapp.core.api import iso
from evalapp.scores.models import DataType


def score_json(score):
    """Return a score as the SDKs' typed models have it: `value` is always the number, except for a text."""
    shown = {
        "id": score.id,
        "projectId": score.project_id,
        "traceId": score.trace_id or None,
        "observationId": score.observation_id or None,
        "sessionId": score.session_id or None,
        "datasetRunId": score.dataset_run_id or None,
        "name": score.name,
        "dataType": score.data_type,
        "stringValue": score.string_value,
        "source": score.source,
        "timestamp": iso(score.timestamp),
        "createdAt": iso(score.created_at),
        "updatedAt": iso(score.updated_at),
        "authorUserId": None if score.author_id is None else str(score.author_id),
        "comment": score.comment or None,
        "metadata": score.metadata,
        "configId": score.config_id,
        "queueId": score.queue_id or None,
        "environment": score.environment,
    }
    if score.data_type != DataType.TEXT:
        shown["value"] = score.value or 0
    return shown


def trace_json(trace):
    """Return what a score of a list says about its trace; `trace` may be None."""
    if trace is None:
        return {"userId": None, "tags": [], "environment": None, "sessionId": None, "name": None}
    return {
        "userId": trace.user_id,
        "tags": trace.tags,
        "environment": trace.environment,
        "sessionId": trace.session_id,
        "name": trace.name,
    }


def scores_of(project, trace_ids):
    """Return {trace id: its scores as JSON, newest first}: what the trace reads show."""
    scores = {}
    for score in project.scores.filter(trace_id__in=trace_ids).newest_first():
        scores.setdefault(score.trace_id, []).append(score_json(score))
    return scores


def config_json(config):
    """Return a score config."""
    return {
        "id": config.pk,
        "name": config.name,
        "createdAt": iso(config.created_at),
        "updatedAt": iso(config.updated_at),
        "projectId": config.project_id,
        "dataType": config.data_type,
        "isArchived": config.archived_at is not None,
        "minValue": config.min_value,
        "maxValue": config.max_value,
        "categories": config.categories or None,
        "description": config.description or None,
    }

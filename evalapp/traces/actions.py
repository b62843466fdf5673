"""What can be done to traces."""

from django.core.exceptions import ValidationError
from django.db import Error, InterfaceError, OperationalError, connection, transaction

from evalapp.projects.actions import audit, audit_update
from evalapp.traces import store
from evalapp.traces.group_commit import GroupCommit, Unavailable
from evalapp.traces.models import ModelDefinition
from evalapp.traces.pricing import compile_pattern, price_spans


def ingest(project, spans):
    """Store the spans; they are committed when this returns. Sent again they change nothing.

    Requests that arrive together are committed together, each on its own fate. Inside a caller's transaction the
    spans belong to that. Raises Unavailable when the database is out of reach: to be tried again later.
    """
    if not spans:
        return
    if connection.in_atomic_block:
        _price_and_store([(project, spans)])
    else:
        _commits.submit((project, spans), len(spans))


def _price_and_store(batches):
    by_project = {}
    for project, spans in batches:
        by_project.setdefault(project, []).extend(spans)
    # Once for all requests of a group: what it costs is to look up the project's own prices.
    for project, spans in by_project.items():
        price_spans(project, spans)
    store.write([(project.pk, spans) for project, spans in by_project.items()])


def _write(batches):
    try:
        _price_and_store(batches)
    except (OperationalError, InterfaceError) as error:
        if _is_out_of_reach(error):
            # The pool hands out a new connection next time.
            connection.close()
            raise Unavailable("The database is out of reach.") from error
        raise


# SQLSTATE classes: connection exception, insufficient resources, operator intervention.
_UNREACHABLE = ("08", "53", "57")


def _is_out_of_reach(error: Error):
    state = getattr(error.__cause__, "sqlstate", None)
    return state is None or state.startswith(_UNREACHABLE)


_commits = GroupCommit(_write)


@transaction.atomic
def delete_traces(*, project, ids):
    """Delete the traces with everything that is theirs, and return how many there were.

    Scores, comments and media uses go through the project's own relations, since those apps lie elsewhere.
    A session stays while it has another trace.
    """
    traces = project.traces.filter(id__in=ids)
    sessions = set(traces.exclude(session_id=None).values_list("session_id", flat=True))
    project.observations.filter(trace_id__in=ids).delete()
    project.scores.filter(trace_id__in=ids).delete()
    project.media_uses.filter(trace_id__in=ids).delete()
    project.comments.filter(object_type="TRACE", object_id__in=ids).delete()
    count, _ = traces.delete()
    emptied = sessions - set(project.traces.filter(session_id__in=sessions).values_list("session_id", flat=True))
    project.sessions.filter(id__in=emptied).delete()
    return count


@transaction.atomic
def define_model(*, project, name, match_pattern, prices, by, model=None):
    """Add a model definition, or change `model`, and return it. It prices what arrives from now on.

    `prices` is {usage key: dollars a token}, such as {"input": 1e-6, "output": 2e-6}.
    Raises ValidationError naming the field.
    """
    try:
        compile_pattern(match_pattern)
    except ValueError as error:
        raise ValidationError({"match_pattern": str(error)}) from error
    if not prices:
        raise ValidationError({"input": "Give at least one price."})
    before = model and _described(model)
    model = model or ModelDefinition(project=project)
    model.name, model.match_pattern, model.prices = name, match_pattern, prices
    model.save()
    if before is None:
        audit(project=project, by=by, action="create", target=model, after=_described(model))
    else:
        audit_update(project=project, by=by, target=model, before=before, after=_described(model))
    return model


@transaction.atomic
def delete_model(*, model, by):
    """Delete a model definition; what it has priced keeps its cost."""
    audit(project=model.project, by=by, action="delete", target=model, before=_described(model))
    model.delete()


def _described(model):
    return {"name": model.name, "match_pattern": model.match_pattern, "prices": model.prices}

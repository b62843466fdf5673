"""What can be done to traces."""

from django.db import Error, InterfaceError, OperationalError, connection, transaction

from evalapp.traces import store
from evalapp.traces.group_commit import GroupCommit, Unavailable


def ingest(project, spans):
    """Store the spans; they are committed when this returns. Sent again they change nothing.

    Requests that arrive together are committed together, each on its own fate. Inside a caller's transaction the
    spans belong to that. Raises Unavailable when the database is out of reach: to be tried again later.
    """
    if not spans:
        return
    if connection.in_atomic_block:
        store.write([(project.pk, spans)])
    else:
        _commits.submit((project.pk, spans), len(spans))


def _write(batches):
    try:
        store.write(batches)
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

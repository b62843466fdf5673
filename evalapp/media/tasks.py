"""Background work of this app."""

from evalapp.core.jobs import Stopped, job
from evalapp.media import actions


@job("media.purge", lease=600, max_attempts=20)
def purge(job):
    """Delete the stored files of a project whose rows are gone."""
    deleted = 0
    for deleted, _ in enumerate(actions.delete_orphans(project_id=job.payload["project_id"]), 1):
        if deleted % 100 == 0 and not job.progress(deleted):
            raise Stopped
    return {"files": deleted}

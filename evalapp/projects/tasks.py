"""Background work of this app."""

from evalapp.core.jobs import job
from evalapp.projects import actions


@job("projects.purge", lease=3600, atomic=True)
def purge(job):
    """Delete a project's rows, all or none; its people and keys are gone since the request."""
    return actions.purge_project(project_id=job.payload["project_id"])

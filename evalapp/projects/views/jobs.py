"""How far a background job is; a fragment that any page may load and that polls itself."""

from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET, require_POST

from evalapp.core import jobs
from evalapp.projects.access import requires


@require_GET
@requires("project.read")
def job_status(request, project_id, pk):
    """Progress, result or error of one job."""
    job = get_object_or_404(request.project.jobs, pk=pk)
    return render(request, "_ui/_job.html", {"job": job})


@require_POST
@requires("jobs.cancel")
def job_cancel(request, project_id, pk):
    """Stop a job; what it has done stays done."""
    job = get_object_or_404(request.project.jobs, pk=pk)
    jobs.cancel(job)
    job.refresh_from_db()
    return render(request, "_ui/_job.html", {"job": job})

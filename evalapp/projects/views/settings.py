"""Project settings: the project itself, and its audit log."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from evalapp.core.htmx import render_fragment
from evalapp.core.pagination import keyset_page
from evalapp.projects import actions
from evalapp.projects.access import requires
from evalapp.projects.forms import DeleteProjectForm, ProjectForm


@require_GET
@requires("settings.read")
def settings(request, project_id):
    """Lead to the first settings page."""
    return redirect("projects:general", project_id)


@require_GET
@requires("settings.read")
def general(request, project_id):
    """The project's name and id; what it takes to delete it."""
    return render(request, "projects/general.html", _forms(request))


def _forms(request, **bound):
    forms = {
        "form": ProjectForm(initial={"name": request.project.name}),
        "delete_form": DeleteProjectForm(project=request.project),
    }
    return {**forms, **bound}


@require_POST
@requires("settings.manage")
def project_rename(request, project_id):
    """Change the name."""
    form = ProjectForm(request.POST)
    if form.is_valid():
        actions.rename_project(project=request.project, by=request.user, **form.cleaned_data)
        messages.success(request, "The project is renamed.")
        return redirect("projects:general", project_id)
    context = _forms(request, form=form)
    return render_fragment(request, "projects/general.html", context, fragment="name", status=422)


@require_http_methods(["POST"])
@requires("owners.manage")
def project_delete(request, project_id):
    """Delete the project and all that it holds; its name has to be typed."""
    form = DeleteProjectForm(request.POST, project=request.project)
    if form.is_valid():
        actions.delete_project(project=request.project, by=request.user)
        messages.success(request, f"{request.project.name} is closed, and its data is being deleted.")
        return redirect("project_list")
    context = _forms(request, delete_form=form)
    return render_fragment(request, "projects/general.html", context, fragment="delete", status=422)


@require_GET
@requires("audit.read")
def audit_log(request, project_id):
    """Who changed what, newest first."""
    entries = request.project.audit_entries.select_related("user", "api_key")
    page = keyset_page(entries, request.GET, order=("-id",))
    return render(request, "projects/audit_log.html", {"page": page})

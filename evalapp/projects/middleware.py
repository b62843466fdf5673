"""Finds the project that the URL names, among those of the person who asks."""

from datetime import timedelta

from django.http import Http404
from django.utils.timezone import now

from evalapp.projects.models import Membership

_VISIT_IS_NOTED_EVERY = timedelta(hours=1)


class ProjectMiddleware:
    """Sets request.project and request.membership; a project that isn't theirs does not exist (404)."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.project = request.membership = None
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        if "project_id" not in kwargs or not request.user.is_authenticated:
            return None
        membership = (
            Membership.objects.select_related("project__organization")
            .filter(project_id=kwargs["project_id"], user=request.user)
            .first()
        )
        if membership is None:
            raise Http404("No such project, or you are not a member of it.")
        request.membership, request.project = membership, membership.project
        _note_visit(request, membership)
        return None


def _note_visit(request, membership):
    """Remember where `home` leads to; a write when somebody changes projects, not at every request."""
    elsewhere = request.session.get("project") != membership.project_id
    last = membership.last_visited_at
    if elsewhere or last is None or now() - last > _VISIT_IS_NOTED_EVERY:
        request.session["project"] = membership.project_id
        Membership.objects.filter(pk=membership.pk).update(last_visited_at=now())

"""Finds the project that the URL names, among those of the person who asks."""

from django.http import Http404

from evalapp.projects.models import Membership


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
        return None

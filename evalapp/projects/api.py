"""What an API key can learn about itself."""

from django.conf import settings
from rest_framework.response import Response
from rest_framework.views import APIView


class ProjectList(APIView):
    """The one project that the key belongs to; SDKs build links and experiment ids from it."""

    def get(self, request):
        project = request.auth.project
        organization = {"id": project.organization_id, "name": project.organization.name}
        return Response(
            {
                "data": [
                    {
                        "id": project.pk,
                        "name": project.name,
                        "organization": organization,
                        "metadata": project.metadata,
                        "retentionDays": None,
                    }
                ]
            }
        )


class Health(APIView):
    """Say that the API answers; needs no key."""

    authentication_classes = ()
    permission_classes = ()

    def get(self, request):
        return Response({"status": "OK", "version": settings.VERSION})

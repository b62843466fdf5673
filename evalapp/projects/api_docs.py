"""What the API's document says about projects and health."""

from rest_framework import serializers

from evalapp.core.openapi import NO_KEY, document, operation
from evalapp.projects import api


class OrganizationOutput(serializers.Serializer):
    """Who a project belongs to."""

    id = serializers.CharField()
    name = serializers.CharField()


class ProjectOutput(serializers.Serializer):
    """The project of an API key."""

    id = serializers.CharField()
    name = serializers.CharField()
    organization = OrganizationOutput()
    metadata = serializers.DictField()
    retentionDays = serializers.IntegerField(allow_null=True)


class ProjectListOutput(serializers.Serializer):
    """Exactly one project: the key's."""

    data = ProjectOutput(many=True)

    EXAMPLE = {
        "data": [
            {
                "id": "support-agent",
                "name": "Support agent",
                "organization": {"id": "acme", "name": "Acme"},
                "metadata": {},
                "retentionDays": None,
            }
        ]
    }


class HealthOutput(serializers.Serializer):
    """That the server answers."""

    status = serializers.ChoiceField(["OK"])
    version = serializers.CharField()

    EXAMPLE = {"status": "OK", "version": "0.1.0"}


document(
    api.ProjectList,
    tag="Project",
    get=operation("getProject", "Get the project of the API key", answers=ProjectListOutput),
)
document(
    api.Health,
    tag="Project",
    get=operation("getHealth", "Ask whether the server answers", answers=HealthOutput, auth=NO_KEY),
)

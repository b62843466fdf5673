"""Prompts over the API, as the SDKs' prompt management reads and writes them."""

from django.core.exceptions import ValidationError
from django.db.models import Max
from django.http import Http404
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from evalapp.core import payload
from evalapp.core.api import iso, page_of, query_int, query_time
from evalapp.prompts import actions
from evalapp.prompts.models import LATEST, PRODUCTION

_MAX_NUMBER = 2**31 - 1


class PromptInput(serializers.Serializer):
    """A new version, as the SDKs send it; null means absent."""

    name = serializers.CharField(trim_whitespace=False)
    prompt = serializers.JSONField()
    type = serializers.ChoiceField(["text", "chat"], required=False, allow_null=True)
    labels = serializers.ListField(child=serializers.CharField(), required=False, allow_null=True)
    tags = serializers.ListField(child=serializers.CharField(), required=False, allow_null=True)
    config = serializers.JSONField(required=False, allow_null=True)
    commitMessage = serializers.CharField(required=False, allow_null=True, allow_blank=True, max_length=500)


class LabelsInput(serializers.Serializer):
    """Labels to put on one version."""

    newLabels = serializers.ListField(child=serializers.CharField())


def prompt_json(version, *, resolve=True):
    """Return a version in the API's shape; references are filled in unless `resolve` is false."""
    prompt = version.prompt
    labels = actions.labels_of(version)
    return {
        "id": version.id,
        "createdAt": iso(version.created_at),
        "updatedAt": iso(version.updated_at),
        "projectId": version.project_id,
        "createdBy": version.created_by,
        "name": prompt.name,
        "version": version.number,
        "type": prompt.type,
        "prompt": actions.resolved_body(version) if resolve else payload.load(version.body),
        "config": payload.load(version.config),
        "labels": labels,
        "tags": prompt.tags,
        "commitMessage": version.commit_message or None,
        "isActive": PRODUCTION in labels,
        "resolutionGraph": None,
    }


class PromptList(APIView):
    """GET lists prompts with their versions and labels; POST adds a version."""

    def get(self, request):
        prompts = _filtered(request).prefetch_related("labels", "versions").order_by("name")
        return page_of(prompts, request, lambda rows: [_meta_json(row) for row in rows], default_limit=10)

    def post(self, request):
        data = PromptInput(data=request.data)
        data.is_valid(raise_exception=True)
        values = data.validated_data
        version = actions.create_version(
            project=request.auth.project,
            name=values["name"],
            body=values["prompt"],
            type=values.get("type"),
            labels=values.get("labels") or [],
            tags=values.get("tags"),
            config=values.get("config"),
            commit_message=values.get("commitMessage") or "",
        )
        return Response(prompt_json(version, resolve=False), status=201)


class PromptDetail(APIView):
    """One prompt by name; the version by ?version= or ?label=, else `production`."""

    def get(self, request, name):
        number, label = _asked(request)
        resolve = request.query_params.get("resolve", "true").lower() != "false"
        return Response(prompt_json(_find(request, name, number, label), resolve=resolve))

    def delete(self, request, name):
        number, label = _asked(request)
        prompt = request.auth.project.prompts.filter(name=name).first()
        if prompt is None or not actions.delete_versions(prompt=prompt, version=number, label=label):
            raise Http404(_missing(name, number, label))
        return Response(status=204)


class PromptVersionDetail(APIView):
    """PATCH adds labels to one version. Another method means a prompt whose name ends like this path."""

    def patch(self, request, name, number):
        data = LabelsInput(data=request.data)
        data.is_valid(raise_exception=True)
        labels = data.validated_data["newLabels"]
        if LATEST in labels:
            raise ValidationError({"newLabels": "latest is kept by itself on the newest version."})
        actions.add_labels(version=_find(request, name, number, None), labels=labels)
        return Response(prompt_json(_find(request, name, number, None), resolve=False))

    def get(self, request, name, number):
        return PromptDetail().get(request, f"{name}/versions/{number}")

    def delete(self, request, name, number):
        return PromptDetail().delete(request, f"{name}/versions/{number}")


def _filtered(request):
    prompts = request.auth.project.prompts.annotate(last_updated_at=Max("versions__updated_at"))
    params = request.query_params
    if name := params.get("name"):
        prompts = prompts.filter(name=name)
    if tag := params.get("tag"):
        prompts = prompts.filter(tags__contains=[tag])
    if (label := params.get("label")) and label != LATEST:
        prompts = prompts.filter(labels__name=label)
    if start := query_time(request, "fromUpdatedAt"):
        prompts = prompts.filter(last_updated_at__gte=start)
    if end := query_time(request, "toUpdatedAt"):
        prompts = prompts.filter(last_updated_at__lt=end)
    return prompts


def _meta_json(prompt):
    versions = sorted(prompt.versions.all(), key=lambda version: version.number)
    return {
        "name": prompt.name,
        "type": prompt.type,
        "versions": [version.number for version in versions],
        "labels": [*sorted(label.name for label in prompt.labels.all()), LATEST],
        "tags": prompt.tags,
        "lastUpdatedAt": iso(prompt.last_updated_at),
        "lastConfig": payload.load(versions[-1].config),
    }


def _asked(request):
    number = query_int(request, "version", None, minimum=1, maximum=_MAX_NUMBER)
    label = request.query_params.get("label")
    if number is not None and label:
        raise ValidationError({"version": "Ask for a version or a label, not both."})
    return number, label


def _find(request, name, number, label):
    prompt = request.auth.project.prompts.filter(name=name).first()
    version = prompt and actions.find_version(prompt=prompt, version=number, label=label)
    if version is None:
        raise Http404(_missing(name, number, label))
    return version


def _missing(name, number, label):
    asked = f"version {number}" if number is not None else f"label '{label or PRODUCTION}'"
    return f"Prompt not found: '{name}' with {asked}"

"""Score configs over the API."""

from django.core.exceptions import ValidationError
from django.http import Http404
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from evalapp.core.api import JSONValue, Text, page_of
from evalapp.scores.actions import create_score_config, update_score_config
from evalapp.scores.judgements import in_public_terms
from evalapp.scores.models import DataType, ScoreConfig
from evalapp.scores.wire import config_json

_FIELDS = {"name": "name", "minValue": "min_value", "maxValue": "max_value", "categories": "categories"}
_NAMES = {column: name for name, column in _FIELDS.items()} | {"data_type": "dataType"}


class ConfigChange(serializers.Serializer):
    """What can be changed of a score config; the rules are those of the actions."""

    name = Text(required=False, max_length=35)
    description = Text(required=False, allow_null=True, allow_blank=True)
    minValue = serializers.FloatField(required=False, allow_null=True)
    maxValue = serializers.FloatField(required=False, allow_null=True)
    categories = JSONValue()
    isArchived = serializers.BooleanField(required=False)


class ConfigInput(ConfigChange):
    """A new score config."""

    name = Text(max_length=35)
    dataType = serializers.ChoiceField(ScoreConfig.CONFIGURABLE)


class ScoreConfigList(APIView):
    """GET lists score configs, newest first and archived ones too; POST makes one."""

    def get(self, request):
        configs = request.auth.project.score_configs.order_by("-created_at", "-pk")
        return page_of(configs, request, lambda rows: [config_json(row) for row in rows])

    def post(self, request):
        data = ConfigInput(data=request.data)
        data.is_valid(raise_exception=True)
        values = data.validated_data
        fields = _columns(values, values["dataType"])
        try:
            config = create_score_config(
                project=request.auth.project, data_type=DataType(values["dataType"]), **fields
            )
        except ValidationError as error:
            raise in_public_terms(error, _NAMES) from error
        return Response(config_json(config))


class ScoreConfigDetail(APIView):
    """One score config; PATCH changes it, archives it, or puts it back into use."""

    def get(self, request, config_id):
        return Response(config_json(_find(request, config_id)))

    def patch(self, request, config_id):
        config = _find(request, config_id)
        data = ConfigChange(data=request.data)
        data.is_valid(raise_exception=True)
        values = data.validated_data
        if not values:
            raise ValidationError(f"Nothing to change. Send one of {', '.join(ConfigChange().fields)}.")
        if request.data.get("dataType", config.data_type) != config.data_type:
            raise ValidationError({"dataType": "The data type of a score config never changes."})
        try:
            update_score_config(config, archived=values.get("isArchived"), **_columns(values, config.data_type))
        except ValidationError as error:
            raise in_public_terms(error, _NAMES) from error
        return Response(config_json(config))


def _find(request, config_id):
    config = request.auth.project.score_configs.filter(pk=config_id).first()
    if config is None:
        raise Http404(f"Score config {config_id} not found within authorized project")
    return config


def _columns(values, data_type):
    """Return what the client gave as columns. Raises ValidationError for what this data type does not have."""
    allowed = {DataType.NUMERIC: {"minValue", "maxValue"}, DataType.CATEGORICAL: {"categories"}}.get(data_type, ())
    for name in ("minValue", "maxValue", "categories"):
        if values.get(name) not in (None, []) and name not in allowed:
            raise ValidationError({name: f"A {data_type} score config has no {name}."})
    columns = {
        column: values[name] for name, column in _FIELDS.items() if name in values and name in (*allowed, "name")
    }
    if columns.get("categories", ()) is None:
        columns.pop("categories")
    if "description" in values:
        columns["description"] = values["description"] or ""
    return columns

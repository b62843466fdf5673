"""Model definitions over the API: what a project pays for its own models."""

from django.core.exceptions import ValidationError
from django.http import Http404
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from evalapp.core.api import JSONValue, iso, page_of
from evalapp.traces import actions


class ModelInput(serializers.Serializer):
    """A model's name, the names it matches, and dollars a token."""

    modelName = serializers.CharField(max_length=255)
    matchPattern = serializers.CharField(max_length=1000, trim_whitespace=False)
    startDate = serializers.DateTimeField(required=False, allow_null=True)
    unit = serializers.ChoiceField(["TOKENS"], required=False, allow_null=True)
    inputPrice = serializers.FloatField(required=False, allow_null=True, min_value=0)
    outputPrice = serializers.FloatField(required=False, allow_null=True, min_value=0)
    totalPrice = serializers.FloatField(required=False, allow_null=True, min_value=0)
    prices = serializers.DictField(child=serializers.FloatField(min_value=0), required=False, allow_null=True)
    tokenizerId = serializers.CharField(required=False, allow_null=True)
    tokenizerConfig = JSONValue()


class ModelList(APIView):
    """GET lists the project's model definitions; POST adds one."""

    def get(self, request):
        models = request.auth.project.model_definitions.newest_first()
        return page_of(models, request, lambda rows: [model_json(row) for row in rows])

    def post(self, request):
        return Response(model_json(_define(request)))


class ModelDetail(APIView):
    """One model definition."""

    def get(self, request, model_id):
        return Response(model_json(_find(request, model_id)))

    def put(self, request, model_id):
        return Response(model_json(_define(request, _find(request, model_id))))

    def delete(self, request, model_id):
        actions.delete_model(model=_find(request, model_id), by=request.auth)
        return Response({"message": "Model deleted successfully"})


def model_json(model):
    """Return a model definition in the API's shape."""
    prices = model.prices
    return {
        "id": model.pk,
        "modelName": model.name,
        "matchPattern": model.match_pattern,
        "startDate": None,
        "unit": "TOKENS",
        "inputPrice": prices.get("input"),
        "outputPrice": prices.get("output"),
        "totalPrice": prices.get("total"),
        "tokenizerId": None,
        "tokenizerConfig": None,
        "isLangfuseManaged": False,
        "createdAt": iso(model.created_at),
        "prices": {key: {"price": price} for key, price in prices.items()},
        "pricingTiers": [],
    }


# Where the action's fields are in the API.
_FIELDS = {"match_pattern": "matchPattern", "input": "inputPrice"}


def _define(request, model=None):
    data = ModelInput(data=request.data)
    data.is_valid(raise_exception=True)
    values = data.validated_data
    if values.get("startDate"):
        raise ValidationError({"startDate": "Definitions apply from when they are made; leave the date out."})
    prices = {
        key: values[f"{key}Price"] for key in ("input", "output", "total") if values.get(f"{key}Price") is not None
    }
    try:
        return actions.define_model(
            project=request.auth.project,
            name=values["modelName"],
            match_pattern=values["matchPattern"],
            prices=prices | (values.get("prices") or {}),
            by=request.auth,
            model=model,
        )
    except ValidationError as error:
        raise ValidationError({_FIELDS[name]: texts for name, texts in error.message_dict.items()}) from error


def _find(request, model_id):
    model = request.auth.project.model_definitions.filter(pk=model_id).first()
    if model is None:
        raise Http404(f"Model {model_id} not found within authorized project")
    return model

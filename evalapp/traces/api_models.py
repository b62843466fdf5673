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
        return Response(model_json(actions.define_model(project=request.auth.project, **_input(request))))


class ModelDetail(APIView):
    """One model definition."""

    def get(self, request, model_id):
        return Response(model_json(_find(request, model_id)))

    def put(self, request, model_id):
        model = _find(request, model_id)
        return Response(
            model_json(actions.define_model(project=request.auth.project, model=model, **_input(request)))
        )

    def delete(self, request, model_id):
        _find(request, model_id).delete()
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


def _input(request):
    data = ModelInput(data=request.data)
    data.is_valid(raise_exception=True)
    values = data.validated_data
    prices = {
        key: values[field]
        for key, field in (("input", "inputPrice"), ("output", "outputPrice"), ("total", "totalPrice"))
        if values.get(field) is not None
    }
    prices |= values.get("prices") or {}
    if values.get("startDate"):
        raise ValidationError({"startDate": "Definitions apply from when they are made; leave the date out."})
    return {"name": values["modelName"], "match_pattern": values["matchPattern"], "prices": prices}


def _find(request, model_id):
    model = request.auth.project.model_definitions.filter(pk=model_id).first()
    if model is None:
        raise Http404(f"Model {model_id} not found within authorized project")
    return model

"""Metrics over the API."""

from rest_framework.response import Response
from rest_framework.views import APIView

from evalapp.scores.metrics import measure


class Metrics(APIView):
    """Answers ?query=, a JSON object of view, dimensions, metrics, filters, timeDimension, orderBy and config."""

    def get(self, request):
        return Response({"data": measure(request.auth.project, request.query_params.get("query"))})


class MetricsV1(Metrics):
    """The same at the path of generation 1."""

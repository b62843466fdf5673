"""The public API on one screen. Its contract is the one of the Langfuse SDKs."""

from django.urls import include, path

from evalapp import openapi
from evalapp.core import api
from evalapp.experiments.api import store_run_item
from evalapp.scores.api_ingestion import Ingestion
from evalapp.scores.wire import scores_of
from evalapp.traces.api_traces import TraceDetail, TraceList

urlpatterns = [
    # Traces are read with their scores, of which the traces app knows nothing.
    path("traces", TraceList.as_view(scores_of=scores_of), name="api_traces"),
    path("traces/<any:trace_id>", TraceDetail.as_view(scores_of=scores_of), name="api_trace"),
    # The event batch holds run items, too, of which the scores app knows nothing.
    path(
        "ingestion",
        Ingestion.as_view(more_handlers={"dataset-run-item-create": store_run_item}),
        name="api_ingestion",
    ),
    path("", include("evalapp.projects.api_urls")),
    path("", include("evalapp.traces.api_urls")),
    path("", include("evalapp.scores.api_urls")),
    path("", include("evalapp.media.api_urls")),
    path("", include("evalapp.comments.api_urls")),
    path("", include("evalapp.datasets.api_urls")),
    path("", include("evalapp.prompts.api_urls")),
    path("", include("evalapp.experiments.api_urls")),
    path("", include("annotation.api_urls")),
    path("openapi.json", openapi.openapi_json, name="api_openapi"),
    path("<any:rest>", api.not_found, name="api_not_found"),
]

"""The site on one screen: pages under /project/<id>/, the public API under /api/public/."""

from django.urls import include, path

from evalapp import reference
from evalapp.core import health
from evalapp.traces import api as traces_api

PROJECT = [
    path("", include("evalapp.projects.urls")),
    path("", include("evalapp.media.urls")),
    path("", include("evalapp.traces.urls")),
    path("", include("evalapp.scores.urls")),
    path("", include("evalapp.datasets.urls")),
    path("", include("evalapp.prompts.urls")),
    path("", include("evalapp.experiments.urls")),
    path("", include("annotation.urls")),
]

handler500 = "evalapp.core.errors.server_error"

urlpatterns = [
    path("", include("evalapp.projects.site_urls")),
    path("accounts/", include("allauth.urls")),
    path("project/<str:project_id>/", include(PROJECT)),
    path("api/public/", include("evalapp.api_urls")),
    path("api/reference", reference.reference, name="api_reference"),
    path("v1/traces", traces_api.otlp_traces, name="otlp_traces_alias"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]

"""The public API on one screen. Its contract is the one of the Langfuse SDKs."""

from django.urls import include, path

urlpatterns = [
    path("", include("evalapp.traces.api_urls")),
    path("", include("evalapp.scores.api_urls")),
]

"""This app's part of the public API."""

from django.urls import path

from evalapp.projects import api

urlpatterns = [
    path("projects", api.ProjectList.as_view(), name="api_projects"),
    path("health", api.Health.as_view(), name="api_health"),
]

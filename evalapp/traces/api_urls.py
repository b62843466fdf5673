"""This app's part of the public API."""

from django.urls import path

from evalapp.traces import api

urlpatterns = [path("otel/v1/traces", api.otlp_traces, name="otlp_traces")]

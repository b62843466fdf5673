"""This app's part of the public API."""

from django.urls import path

from evalapp.traces import api, api_models, api_observations, api_traces

urlpatterns = [
    path("otel/v1/traces", api.otlp_traces, name="otlp_traces"),
    path("otel/v1/metrics", api.otlp_dropped, name="otlp_metrics"),
    path("otel/v1/logs", api.otlp_dropped, name="otlp_logs"),
    path("observations", api_observations.ObservationList.as_view(), name="api_observations"),
    path(
        "observations/<any:observation_id>", api_observations.ObservationDetail.as_view(), name="api_observation"
    ),
    path("v2/observations", api_observations.ObservationListV2.as_view(), name="api_observations_v2"),
    path("models", api_models.ModelList.as_view(), name="api_models"),
    path("models/<str:model_id>", api_models.ModelDetail.as_view(), name="api_model"),
    path("sessions", api_traces.SessionList.as_view(), name="api_sessions"),
    path("sessions/<any:session_id>", api_traces.SessionDetail.as_view(), name="api_session"),
]

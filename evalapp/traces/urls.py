"""Pages of this app, below /project/<project_id>/. Ids are the clients' own and may hold slashes."""

from django.urls import path

from evalapp.traces import views

app_name = "traces"
urlpatterns = [
    path("traces", views.trace_list, name="trace_list"),
    path("traces/<path:trace_id>", views.trace_detail, name="trace_detail"),
    path("trace-download/<path:trace_id>", views.trace_download, name="trace_download"),
    path("trace-payload/<path:trace_id>", views.trace_payload, name="trace_payload"),
    path("settings/models", views.model_list, name="model_list"),
    path("settings/models/define", views.model_define, name="model_define"),
    path("settings/models/<str:model_id>/edit", views.model_edit, name="model_edit"),
    path("settings/models/<str:model_id>/delete", views.model_delete, name="model_delete"),
    path("settings/connect", views.connect, name="connect"),
    path("sessions", views.session_list, name="session_list"),
    path("sessions/<path:session_id>", views.session_detail, name="session_detail"),
]

"""Pages of this app, below /project/<project_id>/."""

from django.urls import path

from evalapp.scores import views

app_name = "scores"
_CONFIG = "settings/score-configs/<str:config_id>"
urlpatterns = [
    path("scores", views.score_list, name="score_list"),
    path("scores/of-traces", views.trace_chips, name="trace_chips"),
    path("trace-scores/<path:trace_id>", views.trace_scores, name="trace_scores"),
    path("scores/export.csv", views.score_export, {"kind": "csv"}, name="score_export_csv"),
    path("scores/export.jsonl", views.score_export, {"kind": "jsonl"}, name="score_export_jsonl"),
    path("settings/score-configs", views.config_list, name="config_list"),
    path("settings/score-configs/new", views.config_create, name="config_create"),
    path(_CONFIG, views.config_edit, name="config_edit"),
    path(f"{_CONFIG}/archive", views.config_archive, name="config_archive"),
    path(f"{_CONFIG}/restore", views.config_restore, name="config_restore"),
]

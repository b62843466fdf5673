"""This app's part of the public API."""

from django.urls import path

from evalapp.scores import api, api_configs, api_metrics, api_v3

urlpatterns = [
    path("scores", api.ScoreList.as_view(), name="api_score_list"),
    path("scores/<any:score_id>", api.ScoreDetail.as_view(), name="api_score"),
    path("v2/scores", api.ScoreListV2.as_view(), name="api_score_list_v2"),
    path("v2/scores/<any:score_id>", api.ScoreDetailV2.as_view(), name="api_score_v2"),
    path("v3/scores", api_v3.ScoreList.as_view(), name="api_score_list_v3"),
    path("metrics", api_metrics.MetricsV1.as_view(), name="api_metrics"),
    path("v2/metrics", api_metrics.Metrics.as_view(), name="api_metrics_v2"),
    path("score-configs", api_configs.ScoreConfigList.as_view(), name="api_score_configs"),
    path("score-configs/<str:config_id>", api_configs.ScoreConfigDetail.as_view(), name="api_score_config"),
]

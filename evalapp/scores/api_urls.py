"""This app's part of the public API."""

from django.urls import path

from evalapp.scores import api_v3

urlpatterns = [
    path("v3/scores", api_v3.ScoreList.as_view(), name="api_score_list_v3"),
]

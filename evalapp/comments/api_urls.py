"""This app's part of the public API."""

from django.urls import path

from evalapp.comments import api

urlpatterns = [
    path("comments", api.CommentList.as_view(), name="api_comments"),
    path("comments/<str:comment_id>", api.CommentDetail.as_view(), name="api_comment"),
]

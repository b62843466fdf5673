"""This app's part of the public API."""

from django.urls import path

from evalapp.media import api, views

urlpatterns = [
    path("media", api.MediaList.as_view(), name="api_media_list"),
    path("media/content/<str:token>", views.media_content, name="media_content"),
    path("media/<str:media_id>", api.MediaDetail.as_view(), name="api_media"),
]

"""Pages of this app, below /project/<project_id>/."""

from django.urls import path

from evalapp.media import views

app_name = "media"
urlpatterns = [path("media/<str:media_id>", views.media_show, name="media_show")]

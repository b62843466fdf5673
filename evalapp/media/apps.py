from django.apps import AppConfig


class MediaConfig(AppConfig):
    name = "evalapp.media"

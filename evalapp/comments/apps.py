from django.apps import AppConfig


class CommentsConfig(AppConfig):
    name = "evalapp.comments"

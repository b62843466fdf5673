from django.apps import AppConfig

from evalapp.celery import app as celery_app  # makes it the application of every @shared_task

__all__ = ["CoreConfig", "celery_app"]


class CoreConfig(AppConfig):
    name = "evalapp.core"

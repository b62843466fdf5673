from django.apps import AppConfig
from django.urls import register_converter
from django.urls.converters import StringConverter

from evalapp.celery import app as celery_app  # makes it the application of every @shared_task

__all__ = ["CoreConfig", "celery_app"]


class AnyText(StringConverter):
    """A name or id of a client in a path: slashes and line breaks are part of it, which `path` stops at."""

    regex = r"[\s\S]+"


register_converter(AnyText, "any")


class CoreConfig(AppConfig):
    name = "evalapp.core"

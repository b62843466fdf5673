from django.apps import AppConfig


class MediaConfig(AppConfig):
    name = "evalapp.media"

    def ready(self):
        from evalapp.projects.actions import run_after_purge

        run_after_purge("media.purge")

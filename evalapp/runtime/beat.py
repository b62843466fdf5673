"""Send the periodic wake-ups. Run exactly one; a second would only wake twice."""

import logging.config
import os
import signal
import sys

from evalapp.runtime import paths


def add_arguments(parser):
    """Take none: what is sent, and when, is in evalapp/celery.py."""


def run(options):
    """Run Celery's scheduler until told to stop. Returns the exit code.

    Not through `celery beat`: it loads every app, three times the memory, for messages that only carry names.
    """
    home = paths.home()
    home.mkdir(parents=True, exist_ok=True)
    sys.path.insert(0, str(paths.REPOSITORY))
    os.chdir(paths.REPOSITORY)
    from celery.beat import Service
    from django.conf import settings

    from evalapp.celery import app

    logging.config.dictConfig(settings.LOGGING)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    Service(app, schedule_filename=str(home / "beat-schedule")).start()
    return 0

"""Send the periodic wake-ups. Run exactly one; a second would only wake twice."""

import logging.config
import os
import signal
import sys
import threading

from evalapp.runtime import paths


def add_arguments(parser):
    """Take none: what is sent, and when, is in evalapp/celery.py."""


def run(options):
    """Run Celery's scheduler until told to stop. Returns the exit code.

    Not through `celery beat`: it loads every app, twice the memory, for messages that only carry names.
    """
    sys.path.insert(0, str(paths.REPOSITORY))
    os.chdir(paths.REPOSITORY)
    from django.conf import settings

    from evalapp.celery import app

    logging.config.dictConfig(settings.LOGGING)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    service(app).start()
    return 0


def service(app):
    """Return the scheduler, which keeps in the home when it sent what."""
    from celery.beat import Service

    home = paths.home()
    home.mkdir(parents=True, exist_ok=True)
    return Service(app, schedule_filename=str(home / "beat-schedule"))


def start_thread(app):
    """Send the wake-ups from a thread of this worker: on one machine that saves a process of 57 MB."""

    def tick():
        try:
            service(app).start()
        finally:
            # Without the clock, wake-ups that got lost would never be sent again: let the supervisor start anew.
            logging.getLogger(__name__).error("The periodic wake-ups stopped; ending this worker.")
            os._exit(1)

    threading.Thread(target=tick, name="beat", daemon=True).start()

"""Run background jobs."""

import os
import sys

from evalapp.runtime import beat
from evalapp.runtime.cli import whole_number
from evalapp.runtime.paths import REPOSITORY


def add_arguments(parser):
    """Declare how many jobs run at once, and whether this worker is the machine's clock as well."""
    parser.add_argument(
        "--threads",
        type=whole_number(1, 256),
        default=os.environ.get("EVALAPP_WORKER_THREADS", "8"),
        help="jobs at once; or EVALAPP_WORKER_THREADS (default: 8)",
    )
    parser.add_argument(
        "--beat", action="store_true", help="send the periodic wake-ups too, instead of a `beat` of their own"
    )
    parser.add_argument("--log-level", default="INFO", help="of Celery itself (default: %(default)s)")


def run(options):
    """Be a Celery worker until told to stop. Returns the exit code.

    Threads, since jobs wait for the database and for model providers. Gossip and mingle would wake an idle
    worker for news of others that it has no use for.
    """
    # Django's own checks ran in `prepare`; here they would load every page's code.
    os.environ.setdefault("CELERY_SKIP_CHECKS", "1")
    os.environ.setdefault("EVALAPP_DB_POOL", str(int(options.threads) + 2))
    sys.path.insert(0, str(REPOSITORY))
    os.chdir(REPOSITORY)
    from celery.signals import worker_ready

    from evalapp.celery import app

    if options.beat:
        worker_ready.connect(lambda **_: beat.start_thread(app), weak=False)
    arguments = ["worker", "--pool", "threads", "--concurrency", str(options.threads)]
    arguments += ["--loglevel", options.log_level, "--without-gossip", "--without-mingle", "--without-heartbeat"]
    return app.worker_main(arguments)

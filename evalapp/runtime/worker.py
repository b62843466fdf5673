"""Run background jobs."""

import os
import sys

from evalapp.runtime.cli import whole_number
from evalapp.runtime.paths import REPOSITORY


def add_arguments(parser):
    """Declare how many jobs run at once."""
    parser.add_argument(
        "--threads",
        type=whole_number(1, 256),
        default=os.environ.get("EVALAPP_WORKER_THREADS", "8"),
        help="jobs at once; or EVALAPP_WORKER_THREADS (default: 8)",
    )
    parser.add_argument("--log-level", default="INFO", help="of Celery itself (default: %(default)s)")


def run(options):
    """Become a Celery worker, so that signals reach it.

    Threads, since jobs wait for the database and for model providers. Gossip and mingle would wake an idle
    worker for news of others that it has no use for.
    """
    # Django's own checks ran in `prepare`; here they would load every page's code.
    os.environ.setdefault("CELERY_SKIP_CHECKS", "1")
    os.environ.setdefault("EVALAPP_DB_POOL", str(options.threads + 2))
    os.chdir(REPOSITORY)
    command = [sys.executable, "-m", "celery", "-A", "evalapp", "worker", "--pool", "threads"]
    command += ["--concurrency", str(options.threads), "--loglevel", options.log_level]
    os.execv(sys.executable, [*command, "--without-gossip", "--without-mingle", "--without-heartbeat"])

"""Serve the web pages and the API. Runs no migrations."""

import os
import sys

from evalapp.runtime.cli import whole_number
from evalapp.runtime.paths import REPOSITORY


def add_arguments(parser):
    """Declare address and size; `up` takes the same."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument(
        "--port", type=whole_number(0, 65535), default=8000, help="port to listen on (default: %(default)s)"
    )
    parser.add_argument(
        "--workers",
        type=whole_number(1, 256),
        default=os.environ.get("EVALAPP_WEB_WORKERS", "2"),
        help="processes; or EVALAPP_WEB_WORKERS (default: 2)",
    )
    parser.add_argument(
        "--threads",
        type=whole_number(1, 256),
        default=os.environ.get("EVALAPP_WEB_THREADS", "16"),
        help="threads of each process; or EVALAPP_WEB_THREADS (default: 16)",
    )


def run(options):
    """Become granian, so that signals reach it."""
    os.environ.setdefault("EVALAPP_BASE_URL", f"http://{options.host}:{options.port}")
    # A thread holds at most one connection, and the pool belongs to a process.
    os.environ.setdefault("EVALAPP_DB_POOL", str(options.threads))
    os.chdir(REPOSITORY)
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--http", "1", "--no-ws"]
    command += ["--host", options.host, "--port", str(options.port)]
    command += ["--workers", str(options.workers), "--blocking-threads", str(options.threads)]
    # A worker that dies is replaced; one that hangs in a request at the stop is killed after this many seconds.
    command += ["--respawn-failed-workers", "--workers-kill-timeout", "4"]
    command += ["--respawn-interval", "0.5"]
    os.execv(sys.executable, [*command, "evalapp.wsgi:application"])

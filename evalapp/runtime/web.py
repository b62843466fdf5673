"""Serve the web pages and the API. Runs no migrations."""

import gc
import multiprocessing
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
    """Be granian until told to stop. Returns the exit code."""
    os.environ.setdefault("EVALAPP_BASE_URL", f"http://{options.host}:{options.port}")
    # A thread holds at most one connection, and the pool belongs to a process.
    os.environ.setdefault("EVALAPP_DB_POOL", str(options.threads))
    sys.path.insert(0, str(REPOSITORY))
    os.chdir(REPOSITORY)
    from granian import Granian
    from granian.constants import HTTPModes, Interfaces

    if multiprocessing.get_start_method() == "fork":
        load_application()
    Granian(
        "evalapp.wsgi:application",
        address=options.host,
        port=options.port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        websockets=False,
        workers=int(options.workers),
        blocking_threads=int(options.threads),
        # One that dies is replaced; one that hangs in a request when we stop is killed after these seconds.
        respawn_failed_workers=True,
        respawn_interval=0.5,
        workers_kill_timeout=3,
    ).serve()
    return 0


def load_application():
    """Load every page's code once, before granian forks its workers.

    They start at once and share the memory: two workers take 100 MB less than if each loaded it for itself.
    """
    from django.urls import get_resolver

    from evalapp.wsgi import application  # noqa: F401 (granian finds it loaded)

    resolvers = [get_resolver()]
    while resolvers:
        resolvers += [entry for entry in resolvers.pop().url_patterns if hasattr(entry, "url_patterns")]
    # A collection would write to the shared pages, and so copy them.
    gc.collect()
    gc.freeze()
    # An export makes tens of thousands of objects, none of them cyclic: collecting at every 700th took a fifth of
    # ingest's time (42 against 33 µs of CPU a span).
    gc.set_threshold(50_000, 20, 100)

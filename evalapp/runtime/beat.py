"""Send the periodic wake-ups. Run exactly one; a second would only wake twice."""

import os
import sys

from evalapp.runtime import paths


def add_arguments(parser):
    """Declare the log level."""
    parser.add_argument("--log-level", default="INFO", help="of Celery itself (default: %(default)s)")


def run(options):
    """Become Celery's beat, so that signals reach it."""
    home = paths.home()
    home.mkdir(parents=True, exist_ok=True)
    os.chdir(paths.REPOSITORY)
    command = [sys.executable, "-m", "celery", "-A", "evalapp", "beat", "--loglevel", options.log_level]
    # No pid file: one that a kill -9 left behind would keep the next beat from starting.
    os.execv(sys.executable, [*command, "--schedule", str(home / "beat-schedule"), "--pidfile="])

"""A pytest plugin: the suite starts its own PostgreSQL and Valkey, before Django reads its settings.

Loaded by `-p tests.services` in pyproject.toml, because a conftest comes after pytest-django has read them. Set
DATABASE_URL or CELERY_BROKER_URL to use servers of your own instead.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from evalapp.runtime import children, guard, paths
from evalapp.runtime.postgres import Postgres
from evalapp.runtime.valkey import Valkey

_stack = contextlib.ExitStack()


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config, args):
    """Start what the environment does not bring. A wrapper runs before pytest-django's own hook."""
    if not {"--help", "-h", "--version", "-V"} & set(args):
        _stack.enter_context(embedded_services())
    return (yield)


def pytest_unconfigure():
    _stack.close()


@contextlib.contextmanager
def embedded_services():
    """Run throwaway servers in a temporary home and point the environment at them."""
    os.environ["EVALAPP_TESTING"] = "true"
    # Short and open to the user that the database becomes under root, which pytest's own folders are not.
    home = Path(tempfile.mkdtemp(prefix="evalapp-tests-")).resolve()
    paths.make_home(home)
    processes = []
    # It removes the folder even when we are killed.
    watch = subprocess.Popen(
        [sys.executable, "-I", "-S", guard.__file__], stdin=subprocess.PIPE, text=True, start_new_session=True
    )
    tell(watch, f"rm {home}", f"rm {paths.socket_dir(home)}")
    try:
        os.environ["EVALAPP_HOME"] = str(home)
        if not os.environ.get("DATABASE_URL"):
            postgres = Postgres(home, throwaway=True)
            postgres.make()
            with open(home / "logs" / "postgres.log", "wb") as log:
                server = children.spawn(
                    postgres.command(),
                    account=postgres.account,
                    env=postgres.environment(),
                    cwd=postgres.place,
                    stdout=log,
                    stderr=log,
                )
            processes.append((server, signal.SIGINT))
            tell(watch, f"+ {server.pid} {int(signal.SIGINT)} {int(signal.SIGQUIT)}")
            wait_for(lambda: postgres.state() == "ready", server, home / "logs" / "postgres.log")
            os.environ["DATABASE_URL"] = paths.embedded_database_url(home)
        if not os.environ.get("CELERY_BROKER_URL"):
            paths.socket_dir(home).mkdir(mode=0o700, exist_ok=True)
            valkey = Valkey(home)
            with open(home / "logs" / "valkey.log", "wb") as log:
                broker = children.spawn(valkey.command(), stdout=log, stderr=log)
            processes.append((broker, signal.SIGTERM))
            tell(watch, f"+ {broker.pid} {int(signal.SIGTERM)} {int(signal.SIGKILL)}")
            wait_for(valkey.ready, broker, home / "logs" / "valkey.log")
            os.environ["CELERY_BROKER_URL"] = paths.embedded_broker_url(home)
        yield home
    finally:
        for process, number in reversed(processes):
            process.send_signal(number)
            process.wait(30)
            tell(watch, f"- {process.pid}")
        watch.stdin.close()
        watch.wait(30)
        shutil.rmtree(home, ignore_errors=True)


def tell(watch, *lines):
    """Write lines to the guard."""
    watch.stdin.write("".join(f"{line}\n" for line in lines))
    watch.stdin.flush()


def wait_for(ready, process, log, seconds=60):
    """Wait until the server answers, or fail with the end of its log."""
    deadline = time.monotonic() + seconds
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{process.args[0]} did not start:\n{log.read_text()[-2000:]}")
        time.sleep(0.02)

"""The real web server on the test database, for tests of what Django's client cannot show."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time

import httpx
import psycopg
from django.db import connection

from evalapp.runtime.paths import REPOSITORY


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_database_url():
    """Return the URL of the database that this test run uses."""
    known = {"dbname", "user", "password", "host", "port"}
    parameters = connection.get_connection_params()
    return psycopg.conninfo.make_conninfo(**{name: parameters[name] for name in known & parameters.keys()})


@contextlib.contextmanager
def web_server(*arguments):
    """Run `manage.py web`, yield its address, and end it with all its workers."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, str(REPOSITORY / "manage.py"), "web", "--port", str(port), "--workers", "1", *arguments],
        env={**os.environ, "DATABASE_URL": test_database_url(), "EVALAPP_LOG_LEVEL": "ERROR"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 60
        while True:
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"{address}/healthz").status_code == 200:
                    break
            if process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(process.stderr.read().decode()[-3000:])
            time.sleep(0.1)
        yield address
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        process.stderr.close()

"""Run the real `manage.py up` in a process, for tests that need the whole product or want to break it."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
import psutil

from evalapp.runtime import paths

# What the suite has set for itself would make `up` use the suite's servers.
_OURS = (
    "DATABASE_URL",
    "CELERY_BROKER_URL",
    "EVALAPP_TESTING",
    "EVALAPP_HOME",
    "EVALAPP_BASE_URL",
    "EVALAPP_SECRET_KEY",
    "EVALAPP_DB_POOL",
    "DJANGO_SETTINGS_MODULE",
)


def clean_environment(**changes):
    """Return the environment as a person's terminal has it."""
    return {name: value for name, value in os.environ.items() if name not in _OURS} | changes


@contextlib.contextmanager
def temporary_home():
    """Yield an empty home that goes away, database and all.

    In /tmp rather than in pytest's folder, which is closed to the user that the database becomes under root.
    """
    home = Path(tempfile.mkdtemp(prefix="evalapp-home-")).resolve()
    home.chmod(0o755)
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)
        shutil.rmtree(paths.socket_dir(home), ignore_errors=True)


class Running:
    """One started `up`."""

    def __init__(self, process, home, output):
        self.process = process
        self.home = home
        self._output = output

    @property
    def output(self):
        """Return what it has printed so far."""
        return self._output.read_text(errors="replace")

    @property
    def base_url(self):
        """Return the address that it printed."""
        return re.search(r"evalapp is running at (\S+)", self.output)[1]

    @property
    def sign_in_link(self):
        """Return the one-time sign-in link that it printed."""
        return re.search(r"(http\S*/sign-in/\S+)", self.output)[1]

    def wait_until(self, condition, seconds=120, what="the condition"):
        """Wait until it is met; fail with the output when the process ended or the time is over."""
        deadline = time.monotonic() + seconds
        while not (value := condition()):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"Waited in vain for {what}:\n{self.output[-5000:]}")
            time.sleep(0.05)
        return value

    def ready(self):
        """Tell whether /readyz says so now."""
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{self.base_url}/readyz", timeout=5).status_code == 200
        return False

    def part(self, name):
        """Return the psutil.Process of web, worker, postgres, valkey or guard, as the supervisor started it."""
        programs = {"postgres": "postgres", "valkey": "valkey-server"}
        for process in psutil.Process(self.process.pid).children():
            with contextlib.suppress(psutil.Error):
                if name == "guard" and process.cmdline()[-1].endswith("guard.py"):
                    return process
                if programs.get(name) == process.name() or name in process.cmdline():
                    return process
        return None

    def stop(self, seconds=10):
        """Press Ctrl-C and return the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(seconds)

    def wait_until_gone(self, seconds=10):
        """Wait until no process of this home is left; fail naming those that are."""
        deadline = time.monotonic() + seconds
        while left := processes_of(self.home):
            if time.monotonic() > deadline:
                raise AssertionError(f"Still there: {[process.cmdline() for process in left]}")
            time.sleep(0.05)


def processes_of(home):
    """Return every live process that belongs to this home: by its environment, its folder or its arguments."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.pid == os.getpid() or process.status() == psutil.STATUS_ZOMBIE:
                continue
            places = [process.cwd(), process.environ().get("EVALAPP_HOME", ""), *process.cmdline()]
            if any(str(home) in place or str(paths.socket_dir(home)) in place for place in places):
                found.append(process)
    return found


@contextlib.contextmanager
def running_up(
    home=None, *arguments, python=sys.executable, repository=paths.REPOSITORY, prefix=(), **environment
):
    """Start `manage.py up` on a free port, wait until it greets, yield a Running, and leave nothing behind.

    `arguments` are those of `up`, `environment` adds variables, `prefix` is put before the command.
    """
    with contextlib.ExitStack() as stack:
        home = home or stack.enter_context(temporary_home())
        output = Path(tempfile.mkstemp(prefix="evalapp-up-", suffix=".log")[1])
        stack.callback(output.unlink)
        with output.open("wb") as file:
            process = subprocess.Popen(
                [*prefix, python, str(repository / "manage.py"), "up", "--port", "0", *arguments],
                env=clean_environment(EVALAPP_HOME=str(home), **environment),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        running = Running(process, home, output)
        try:
            running.wait_until(lambda: "Ctrl-C stops it." in running.output, what="the greeting", seconds=300)
            yield running
        finally:
            end(process, home)


def end(process, home):
    """Stop it politely, then whatever is left of it."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(15)
    for left in processes_of(home):
        with contextlib.suppress(psutil.Error):
            left.kill()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(5)

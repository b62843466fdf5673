"""What benches share: a product of their own to measure, statistics, and a table of the results."""

import contextlib
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from evalapp.runtime import paths

# What would make `up` use the caller's servers.
_NOT_INHERITED = ("DATABASE_URL", "CELERY_BROKER_URL", "EVALAPP_BASE_URL", "EVALAPP_DB_POOL", "EVALAPP_TESTING")


@dataclass
class Target:
    """A running product, and the keys to one project of it. `home` is where its collected static files are."""

    url: str
    public_key: str
    secret_key: str
    database_url: str
    project_id: str
    home: Path


@dataclass
class Figure:
    """One measured number. `goal` is what it should at least be (at most, where `lower_is_better`)."""

    name: str
    value: float
    unit: str
    goal: float | None = None
    lower_is_better: bool = False
    note: str = ""

    @property
    def verdict(self):
        if self.goal is None:
            return ""
        met = self.value <= self.goal if self.lower_is_better else self.value >= self.goal
        return "met" if met else "MISSED"

    def as_json(self):
        """Return the figure as a plain object."""
        return {**asdict(self), "verdict": self.verdict}


@contextlib.contextmanager
def own_product():
    """Run `manage.py up` in a home of its own, with an empty project, and yield it as a Target."""
    home = Path(tempfile.mkdtemp(prefix="evalapp-bench-")).resolve()
    home.chmod(0o755)  # as root, the database runs as somebody else
    keys = {"PUBLIC_KEY": f"pk-lf-{secrets.token_hex(8)}", "SECRET_KEY": f"sk-lf-{secrets.token_hex(16)}"}
    environment = {name: value for name, value in os.environ.items() if name not in _NOT_INHERITED}
    environment |= {f"EVALAPP_INIT_{name}": value for name, value in keys.items()}
    environment |= {"EVALAPP_INIT_PROJECT_ID": "bench", "EVALAPP_HOME": str(home)}
    log = home / "up.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, str(paths.REPOSITORY / "manage.py"), "up", "--port", "0", "--no-demo"],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        url = _address(process, log)
        yield Target(url, keys["PUBLIC_KEY"], keys["SECRET_KEY"], paths.embedded_database_url(home), "bench", home)
    finally:
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(30)
        shutil.rmtree(home, ignore_errors=True)


def _address(process, log):
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline and process.poll() is None:
        text = log.read_text(errors="replace")
        if "Ctrl-C stops it." in text:
            return re.search(r"evalapp is running at (\S+)", text)[1]
        time.sleep(0.1)
    raise RuntimeError(f"`up` did not start:\n{log.read_text(errors='replace')[-3000:]}")


def percentile(values, percent):
    """Return the value that `percent` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(percent / 100 * (len(ordered) - 1)))]


def _short(number):
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:.3g}"


def table(figures):
    """Return the figures as lines of text."""
    rows = [("what", "value", "unit", "goal", "", "")]
    for figure in figures:
        sign = "≤" if figure.lower_is_better else "≥"
        goal = "" if figure.goal is None else f"{sign} {_short(figure.goal)}"
        rows.append((figure.name, _short(figure.value), figure.unit, goal, figure.verdict, figure.note))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(
            cell.rjust(width) if column in (1, 3) else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]

"""What the person at the terminal sees, and what goes to files."""

import json
import re
import sys
from contextlib import suppress

COLOURS = {"postgres": 34, "valkey": 35, "web": 32, "worker": 33, "beat": 36}
_LOUD = re.compile(r"\b(WARNING|ERROR|CRITICAL|FATAL|PANIC)\b", re.IGNORECASE)
# Advice to the operator of a machine that only serves; we chose these values.
_HARMLESS = ("Memory overcommit must be enabled", "Configuration allows spawning up to")
_LARGEST_LOG = 10_000_000


class Console:
    """Short news on standard output; of a child only what is a warning or worse, unless everything is wanted."""

    def __init__(self, verbose=False):
        self.verbose = verbose
        self.terminal = sys.stdout.isatty()
        self._in_progress = False
        self._in_traceback = set()

    def say(self, text):
        """Print one piece of news."""
        self.progress_done()
        self._print(f"{text}\n")

    def progress(self, text):
        """Say that something is still going on: on one line of a terminal, else on lines of their own."""
        if self.terminal:
            self._print(f"\r{text:<100}")
            self._in_progress = True
        else:
            self._print(f"{text}\n")

    def progress_done(self):
        """Leave the line of a running progress."""
        if self._in_progress:
            self._print(f"\r{'':<100}\r")
            self._in_progress = False

    def _print(self, text):
        with suppress(OSError):  # nobody reads any more; what runs must go on, and be stopped in order
            sys.stdout.write(text)
            sys.stdout.flush()

    def child_line(self, name, text):
        """Print a child's line when it is worth seeing; its log file has them all."""
        record = parse_record(text)
        if record:
            loud = str(record.get("level", "")).upper() in {"WARNING", "ERROR", "CRITICAL"}
            text = " ".join(str(record[key]) for key in ("level", "logger", "message") if record.get(key))
            text += "".join(f"\n{line}" for line in str(record.get("exc_info") or "").splitlines())
        else:
            loud = self._is_loud(name, text)
        if self.verbose or loud:
            prefix = f"{name:<8} | "
            self.say(f"\x1b[{COLOURS.get(name, 0)}m{prefix}\x1b[0m{text}" if self.terminal else f"{prefix}{text}")

    def _is_loud(self, name, text):
        if name in self._in_traceback:
            if not text.startswith((" ", "\t")):
                self._in_traceback.discard(name)
            return True
        if text.startswith("Traceback "):
            self._in_traceback.add(name)
            return True
        if name == "postgres":
            # Its ERROR is a statement that somebody made, its FATAL one connection's end: told there.
            return "PANIC" in text
        return bool(_LOUD.search(text)) and not any(harmless in text for harmless in _HARMLESS)


def parse_record(text):
    """Return the structured log record that the line is, or None."""
    if not text.startswith("{"):
        return None
    try:
        return json.loads(text)
    except ValueError:
        return None


class LogFile:
    """A child's output, with one older file kept, so that years of running don't fill the disk."""

    def __init__(self, path):
        self.path = path
        self._open()

    def _open(self):
        self.file = open(self.path, "ab", buffering=0)  # noqa: SIM115 (open as long as the child)
        self.path.chmod(0o600)
        self.size = self.file.tell()

    def write(self, data):
        """Append, starting a new file when this one is large."""
        with suppress(OSError):  # a full disk must not end the supervisor
            if self.size > _LARGEST_LOG:
                self.path.replace(self.path.with_name(f"{self.path.name}.1"))
                full = self.file
                self._open()
                full.close()
            self.size += self.file.write(data)

    def close(self):
        """Close the file."""
        self.file.close()

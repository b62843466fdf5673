"""Where the embedded services keep their data and sockets. Standard library only: the bootstrap imports it."""

import hashlib
import os
import tempfile
from pathlib import Path
from urllib.parse import quote

REPOSITORY = Path(__file__).resolve().parents[2]
DATABASE = "evalapp"
DATABASE_USER = "evalapp"


def home():
    """Return the folder that holds everything `up` makes: EVALAPP_HOME, else .evalapp beside manage.py."""
    return Path(os.environ.get("EVALAPP_HOME") or REPOSITORY / ".evalapp").resolve()


def socket_dir(home_dir):
    """Return a short folder for Unix sockets, one per home.

    A socket path may hold 107 bytes at most (103 on macOS), which a home in a deep folder would exceed.
    """
    digest = hashlib.sha256(str(home_dir).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"evalapp-{digest}"


def embedded_database_url(home_dir):
    """Return the URL of the embedded PostgreSQL that serves this home."""
    return f"postgresql://{DATABASE_USER}@/{DATABASE}?host={quote(str(socket_dir(home_dir)), safe='')}"


def embedded_broker_url(home_dir):
    """Return the URL of the embedded Valkey that serves this home."""
    return f"redis+socket://{socket_dir(home_dir) / 'valkey.sock'}"

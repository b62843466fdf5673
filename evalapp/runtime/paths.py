"""Where the embedded services keep their data and sockets. Standard library only: the bootstrap imports it."""

import hashlib
import os
import secrets
import stat
import tempfile
from pathlib import Path
from urllib.parse import quote

REPOSITORY = Path(__file__).resolve().parents[2]
DATABASE = "evalapp"
DATABASE_USER = "evalapp"
# Part of the socket's file name. Said aloud everywhere, or a PGPORT in somebody's shell would point elsewhere.
DATABASE_PORT = 5432

# The kernel keeps 103 bytes for a socket path on macOS and 107 on Linux; ".s.PGSQL.5432" is the longest name we
# use.
_LONGEST_SOCKET_DIR = 103 - len("/.s.PGSQL.5432")


class UnsafeFolder(Exception):
    """A folder that must be ours alone isn't."""


def home():
    """Return the folder that holds everything `up` makes: EVALAPP_HOME, else .evalapp beside manage.py."""
    return Path(os.environ.get("EVALAPP_HOME") or REPOSITORY / ".evalapp").resolve()


def socket_dir(home_dir):
    """Return a short folder for Unix sockets, one per home: a home may lie too deep for a socket's path."""
    name = f"evalapp-{hashlib.sha256(str(home_dir).encode()).hexdigest()[:12]}"
    folder = Path(tempfile.gettempdir()) / name
    return folder if len(str(folder)) <= _LONGEST_SOCKET_DIR else Path("/tmp") / name


def embedded_database_url(home_dir):
    """Return the URL of the embedded PostgreSQL that serves this home."""
    folder = quote(str(socket_dir(home_dir)), safe="")
    return f"postgresql://{DATABASE_USER}@:{DATABASE_PORT}/{DATABASE}?host={folder}"


def embedded_broker_url(home_dir):
    """Return the URL of the embedded Valkey that serves this home."""
    return f"redis+socket://{socket_dir(home_dir) / 'valkey.sock'}"


def make_home(home_dir):
    """Make the home and the secret that signs sessions, readable by nobody else."""
    # As root the database runs as somebody else, who must be able to pass through this folder (and no other of
    # ours).
    mode = 0o711 if os.geteuid() == 0 else 0o700
    home_dir.mkdir(parents=True, exist_ok=True)
    if home_dir.stat().st_uid == os.geteuid():
        home_dir.chmod(mode)
    (home_dir / "logs").mkdir(mode=0o700, exist_ok=True)
    secret = home_dir / "secret_key"
    if not secret.exists():
        # Written beside and renamed: a start killed in between must not leave an empty secret.
        draft = home_dir / f"secret_key.{os.getpid()}"
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(64))
        draft.replace(secret)


def make_socket_dir(folder, uid):
    """Make the socket folder for that user alone.

    Raises UnsafeFolder when somebody else made it: who owns the folder could put their own database behind our
    back.
    """
    try:
        folder.mkdir(mode=0o700)
        os.chown(folder, uid, -1)
    except FileExistsError:
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {uid, os.geteuid()}:
            raise UnsafeFolder(
                f"{folder} should hold the sockets of this installation, but it belongs to user {found.st_uid}. "
                "Remove it, or set TMPDIR to a folder of your own."
            ) from None
        os.chown(folder, uid, -1)
        folder.chmod(0o700)

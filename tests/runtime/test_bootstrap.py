"""manage.py on a bare machine: a real installation from the lock, killed, repaired, repeated and used offline."""

import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from evalapp.bootstrap import PIP_WHEELS
from evalapp.runtime import paths
from tests.runtime.running import clean_environment, processes_of, running_up

pytestmark = pytest.mark.process

NOBODY = 65534
ROOT = os.geteuid() == 0
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", ".evalapp", "__pycache__", ".*_cache", ".hypothesis", "node_modules"
)


def bare_python():
    """Return a Python outside of any environment, which nobody may run too when we are root."""
    for python in ("/usr/bin/python3", getattr(sys, "_base_executable", sys.executable)):
        check = "import sys; sys.exit(sys.version_info < (3, 11))"
        options = {"user": NOBODY, "group": NOBODY, "extra_groups": [], "cwd": "/"} if ROOT else {}
        try:
            if subprocess.run([python, "-c", check], **options, check=False).returncode == 0:
                return python
        except OSError:
            continue
    pytest.skip("no Python 3.11 outside of an environment that an ordinary user can run")


class Clone:
    """A copy of the repository that nobody may write but for `.venv`, and a home elsewhere."""

    def __init__(self, folder):
        self.python = bare_python()
        self.repository = folder / "a read-only place" / "evalapp"
        shutil.copytree(paths.REPOSITORY, self.repository, ignore=LEFT_OUT)
        self.venv = self.repository / ".venv"
        self.home = folder / "home"
        for made in (self.venv, self.home):
            made.mkdir()
            if ROOT:
                os.chown(made, NOBODY, NOBODY)
        for entry in [self.repository, *self.repository.rglob("*")]:
            if entry != self.venv:
                entry.chmod(entry.stat().st_mode & ~0o222)

    def command(self, *arguments, offline=False):
        """Return the command as an ordinary user types it."""
        command = [self.python, str(self.repository / "manage.py"), *arguments]
        return [*self.prefix(offline), *command] if ROOT else command

    def prefix(self, offline=False):
        """Return what turns root into an ordinary user, perhaps without a network."""
        if not ROOT:
            return []
        isolated = str(Path(__file__).with_name("isolated.py"))
        return [sys.executable, isolated, *(["--offline"] if offline else []), "--user", str(NOBODY)]

    def environment(self):
        """Return the environment of somebody who has no uv, and no folder of their own for caches."""
        return clean_environment(HOME="/nonexistent", PATH="/usr/local/bin:/usr/bin:/bin", PIP_NO_CACHE_DIR="1")

    def start(self, *arguments, **options):
        """Start a command in a session of its own, its output captured."""
        return subprocess.Popen(
            self.command(*arguments, **options),
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    # Not pytest's own folder, which only its owner may enter.
    folder = Path(f"/tmp/evalapp-bare-{os.getpid()}")
    folder.mkdir(mode=0o755)
    yield folder
    for entry in folder.rglob("*"):
        if entry.is_dir() and not entry.is_symlink():
            entry.chmod(0o755)
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def installed(folder):
    """A clone whose first installation was killed midway, then finished by two starts at once."""
    clone = Clone(folder)
    first = clone.start("help")
    packages = clone.venv / "lib"
    deadline = time.monotonic() + 120
    while not list(packages.glob("python3*/site-packages/django/__init__.py")):
        assert first.poll() is None, first.communicate()[0]
        assert time.monotonic() < deadline, "pip did not get as far as Django"
        time.sleep(0.01)
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()
    assert not (clone.venv / "evalapp-installed.json").exists()

    two = [clone.start("help"), clone.start("help")]
    clone.outputs = [process.communicate(timeout=300)[0] for process in two]
    clone.exit_codes = [process.returncode for process in two]
    return clone


def test_a_killed_installation_is_repaired_and_two_starts_install_once(installed):
    assert installed.exit_codes == [0, 0], installed.outputs
    assert sum("Installed in" in output for output in installed.outputs) == 1
    assert sum("waiting for it" in output for output in installed.outputs) == 1


def test_up_runs_for_an_ordinary_user_in_a_read_only_repository_with_spaces(installed):
    with running_up(
        installed.home,
        "--no-demo",
        python=installed.python,
        repository=installed.repository,
        prefix=installed.prefix(),
        **installed.environment(),
    ) as running:
        assert running.ready()
        assert {process.uids().real for process in processes_of(installed.home)} == {
            NOBODY if ROOT else os.geteuid()
        }
        assert running.stop() == 0


@pytest.mark.skipif(not ROOT or sys.platform != "linux", reason="only root can take the network away")
def test_the_second_start_needs_no_network(installed):
    # `up` greets when its own request to /readyz has been answered, so that it does says all.
    with running_up(
        installed.home,
        "--no-demo",
        python=installed.python,
        repository=installed.repository,
        prefix=installed.prefix(offline=True),
        **installed.environment(),
    ) as running:
        assert "Installing" not in running.output
        assert running.stop() == 0


class DebianClone:
    """A copy whose lock is one package, for a Python without ensurepip and pip: what Debian's `python3` is."""

    def __init__(self, folder):
        self.folder = folder / "an empty Debian"
        self.repository = self.folder / "evalapp"
        self.venv = self.repository / ".venv"
        shutil.copytree(paths.REPOSITORY, self.repository, ignore=LEFT_OUT)
        for module in ("ensurepip", "pip"):
            broken = self.folder / "split off" / module
            broken.mkdir(parents=True)
            (broken / "__init__.py").write_text(f"raise ModuleNotFoundError(\"No module named '{module}'\")\n")
        lock = (paths.REPOSITORY / "requirements.lock").read_text()
        self.lock = re.search(r"^sqlparse==.*\n(?: +--hash.*\n)+", lock, re.MULTILINE)[0]

    def start(self, lock):
        """Install that lock as manage.py does, then print where its package was found."""
        (self.repository / "requirements.lock").write_text(lock)
        (self.repository / "manage.py").write_text(
            "import sys\n"
            "from evalapp.bootstrap import ensure_environment\n"
            "ensure_environment(sys.argv)\n"
            "import sqlparse\n"
            "print(sqlparse.__file__)\n"
        )
        return subprocess.run(
            [bare_python(), str(self.repository / "manage.py")],
            env=clean_environment(PATH="/usr/bin:/bin", PYTHONPATH=str(self.folder / "split off")),
            capture_output=True,
            text=True,
        )


@pytest.fixture
def debian(folder):
    clone = DebianClone(folder)
    yield clone
    shutil.rmtree(clone.folder)


def test_a_python_without_ensurepip_installs_with_the_shipped_pip(debian):
    done = debian.start(debian.lock)
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).is_relative_to(debian.venv)
    log = (debian.venv / "evalapp-install.log").read_text()
    assert "No module named 'ensurepip'" in log
    assert {entry.name for entry in debian.venv.glob("lib/python3*/site-packages/pip*")} == set()


def test_the_shipped_pip_refuses_what_the_lock_does_not_know(debian):
    done = debian.start(re.sub(r"sha256:\w+", f"sha256:{'0' * 64}", debian.lock))
    assert done.returncode == 1
    assert "evalapp cannot be installed: pip failed" in done.stderr
    assert "DO NOT MATCH THE HASHES" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (debian.venv / "evalapp-installed.json").exists()


def test_the_shipped_pip_is_the_released_one():
    [wheel] = PIP_WHEELS.glob("*.whl")
    notes = (PIP_WHEELS / "VENDORED.md").read_text()
    assert f"`{wheel.name}`" in notes
    assert f"`{hashlib.sha256(wheel.read_bytes()).hexdigest()}`" in notes


def test_an_active_environment_that_has_the_dependencies_is_used(tmp_path):
    clone = tmp_path / "clone"
    shutil.copytree(paths.REPOSITORY, clone, ignore=LEFT_OUT)
    done = subprocess.run(
        [sys.executable, str(clone / "manage.py"), "help"], env=clean_environment(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert not (clone / ".venv").exists()

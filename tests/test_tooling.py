"""What the tools say of the code: style, layers, migrations."""

import re
import subprocess
import sys
import tomllib

import pytest
from django.core.management import call_command

from evalapp.runtime.paths import REPOSITORY

_LINT_IMPORTS = "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"


@pytest.mark.parametrize(
    "arguments",
    [
        ["-m", "ruff", "check", "--no-cache"],
        ["-m", "ruff", "format", "--no-cache", "--check"],
        ["-c", _LINT_IMPORTS, "--no-cache"],
    ],
    ids=["style", "format", "layers"],
)
def test_the_tool_finds_nothing(arguments):
    # Without caches: the repository may be read-only.
    done = subprocess.run([sys.executable, *arguments], cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_model_change_has_its_migration(db):
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_the_locks_hold_every_declared_dependency():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    for lock, declared in (
        ("requirements.lock", project["project"]["dependencies"]),
        ("requirements-dev.lock", project["project"]["dependencies"] + project["dependency-groups"]["dev"]),
    ):
        pinned = {line.split("==")[0] for line in (REPOSITORY / lock).read_text().splitlines() if "==" in line}
        names = {_name(requirement) for requirement in declared}
        assert names <= pinned, f"{lock} lacks {names - pinned}"


def _name(requirement):
    return re.match(r"[A-Za-z0-9._-]+", requirement)[0].lower().replace("_", "-").replace(".", "-")

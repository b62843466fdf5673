"""An environment for each SDK version, made once and kept beside our own packages."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(os.environ.get("EVALAPP_SDK_ENVIRONMENTS") or Path(sys.prefix) / "sdk")


def python_with(*requirements):
    """Return a Python that has these packages and nothing of ours."""
    folder = ROOT / "+".join(requirements).replace("==", "-")
    python = folder / "bin" / "python"

    def fill():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *requirements], check=True)

    _make(folder, fill)
    return python


def node_folder(*packages):
    """Return a folder in which Node finds these packages."""
    folder = ROOT / "node"

    def fill():
        (folder / "package.json").write_text('{"private": true, "type": "module"}')
        subprocess.run(
            ["npm", "install", "--silent", "--no-audit", "--no-fund", *packages], cwd=folder, check=True
        )

    _make(folder, fill, stamp="\n".join(packages))
    return folder


def _make(folder, fill, stamp="ready"):
    ready = folder / "ready"
    if ready.exists() and ready.read_text() == stamp:
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    fill()
    ready.write_text(stamp)

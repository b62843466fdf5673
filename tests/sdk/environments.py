"""An environment for each SDK version, made once and kept beside our own packages."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(os.environ.get("EVALAPP_SDK_ENVIRONMENTS") or Path(sys.prefix) / "sdk")
# One folder for all JavaScript drivers: npm takes as long for one package as for all.
NODE_PACKAGES = [
    *(f"@langfuse/{name}@5.11.1" for name in ("client", "otel", "tracing")),
    "@opentelemetry/sdk-trace-node@2.12.0",
    *(f"@opentelemetry/exporter-trace-otlp-{name}@0.223.1" for name in ("http", "proto")),
]


def python_with(*requirements):
    """Return a Python that has these packages and nothing of ours."""
    folder = ROOT / "+".join(requirements).replace("==", "-")
    python = folder / "bin" / "python"

    def fill():
        if uv := shutil.which("uv", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}"):
            subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, folder], check=True)
            subprocess.run([uv, "pip", "install", "--quiet", "--python", python, *requirements], check=True)
        else:
            subprocess.run([sys.executable, "-m", "venv", folder], check=True)
            subprocess.run([python, "-m", "pip", "install", "--quiet", *requirements], check=True)

    _make(folder, fill)
    return python


def node_folder():
    """Return a folder in which Node finds NODE_PACKAGES."""
    folder = ROOT / "node"

    def fill():
        (folder / "package.json").write_text('{"private": true, "type": "module"}')
        subprocess.run(
            ["npm", "install", "--silent", "--no-audit", "--no-fund", *NODE_PACKAGES], cwd=folder, check=True
        )

    _make(folder, fill, stamp="\n".join(NODE_PACKAGES))
    return folder


def _make(folder, fill, stamp="ready"):
    ready = folder / "ready"
    if ready.exists() and ready.read_text() == stamp:
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    fill()
    ready.write_text(stamp)

"""Runs a driver as an application of its own would run: the SDK's environment, nothing of ours."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.sdk.environments import node_folder

HERE = Path(__file__).parent
needs_node = pytest.mark.skipif(
    shutil.which("npm") is None, reason="Node and npm are not installed: the JS SDK is not tried."
)


def run(*command, folder=None, **environment):
    """Run a driver and return what it told, and what it complained about."""
    done = subprocess.run(
        command,
        env={"PATH": os.environ["PATH"], **environment},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1]), done.stderr


def run_node(driver, **environment):
    """Run a JavaScript driver beside its packages, where Node looks for them."""
    folder = node_folder()
    shutil.copy(HERE / driver, folder)
    return run("node", driver, folder=folder, **environment)


def langfuse_settings(server, api_key):
    """What an application that used Langfuse sets."""
    return {
        "LANGFUSE_BASE_URL": server,
        "LANGFUSE_HOST": server,
        "LANGFUSE_PUBLIC_KEY": api_key.public_key,
        "LANGFUSE_SECRET_KEY": "sk-lf-secret",
    }

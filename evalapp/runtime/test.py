"""Run the tests with pytest, which gets every argument, on a real database, broker and browser."""

import os
import sys

from evalapp.runtime.paths import REPOSITORY


def run(arguments):
    """Become pytest, in the repository's folder."""
    os.chdir(REPOSITORY)
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *arguments])

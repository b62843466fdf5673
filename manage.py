#!/usr/bin/env python3
"""The one door: `up` runs the product, `test` runs the tests, everything else is a Django command."""

import os
import sys

if sys.version_info < (3, 11):  # noqa: UP036 (this file is what an older Python meets first)
    sys.exit("evalapp needs Python 3.11 or newer; this is Python {}.{}.".format(*sys.version_info[:2]))

from evalapp.bootstrap import ensure_environment
from evalapp.runtime import cli


def main():
    """Make sure of the dependencies, then run the command."""
    ensure_environment(sys.argv)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "evalapp.settings")
    cli.run(sys.argv)

    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()

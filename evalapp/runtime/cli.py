"""The commands that start processes. They run without Django's set-up, which costs a process 0.6 s and 50 MB."""

import argparse
import importlib
from pathlib import Path

COMMANDS = ("up", "web", "worker", "beat", "test")


def run(argv):
    """Run the command when it is one of ours, and end with its exit code. Return when it is not."""
    name = argv[1] if len(argv) > 1 else ""
    if name not in COMMANDS:
        return
    module = importlib.import_module(f"evalapp.runtime.{name}")
    if name == "test":  # every argument is pytest's, --help too
        raise SystemExit(module.run(argv[2:]))
    parser = argparse.ArgumentParser(prog=f"{Path(argv[0]).name} {name}", description=module.__doc__)
    module.add_arguments(parser)
    raise SystemExit(module.run(parser.parse_args(argv[2:])))


def whole_number(least, most=10_000):
    """Return an argparse type for numbers in that range."""

    def parse(text):
        number = int(text)
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(f"{number} is not between {least} and {most}")
        return number

    parse.__name__ = "whole number"
    return parse

"""A pytest plugin: which browser the e2e tests drive, and what happens where there is none."""

import contextlib
import os
import shutil
from pathlib import Path

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Without these Chromium calls its maker's hosts at every start, which a closed network answers by refusing.
QUIET = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# Playwright's synchronous interface keeps an event loop in this thread, which Django would take for asynchronous
# code.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


def find_browser():
    """Return the path of the system's Chromium, "" for Playwright's own, or None when there is neither."""
    for name in NAMES:
        if found := shutil.which(name):
            return found
    mac = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
    if mac.exists():
        return str(mac)
    with contextlib.suppress(Exception):  # the driver itself may be missing or unable to run here
        from playwright.sync_api import sync_playwright

        with sync_playwright() as playwright:
            if Path(playwright.chromium.executable_path).exists():
                return ""
    return None


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    """Launch the browser that was found; as root it cannot make its own sandbox."""
    found = find_browser()
    if found is None:  # only with CI=true: elsewhere the test has been skipped
        pytest.fail("No Chromium here, and CI must run the browser tests. Install `chromium`.", pytrace=False)
    arguments = [*QUIET, "--no-sandbox"] if os.geteuid() == 0 else QUIET
    return {**browser_type_launch_args, **({"executable_path": found} if found else {}), "args": arguments}


def pytest_collection_modifyitems(config, items):
    """Skip the browser tests, loudly, on a machine without a browser; CI fails instead."""
    wanted = [item for item in items if item.get_closest_marker("e2e")]
    if not wanted or os.environ.get("CI") == "true" or find_browser() is not None:
        return
    config.stash[_missing] = len(wanted)
    skip = pytest.mark.skip(reason="no Chromium on this machine")
    for item in wanted:
        item.add_marker(skip)


_missing = pytest.StashKey()


def pytest_terminal_summary(terminalreporter, config):
    """Say it where it cannot be overlooked."""
    if count := config.stash.get(_missing, 0):
        terminalreporter.write_line(
            f"!!! {count} BROWSER TESTS SKIPPED: no Chromium. Install `chromium`, or run `playwright install`.",
            red=True,
            bold=True,
        )

"""A page that remembers its console, and people who are signed in."""

import pytest

# A plugin's fixture yields to the one of pytest-playwright, which is loaded later; a conftest's does not.
from tests.browser import browser_type_launch_args  # noqa: F401
from tests.e2e.pages import sign_in, watch_console


@pytest.fixture
def page(page):
    return watch_console(page)


@pytest.fixture
def as_ada(page, live_server, ada):
    """The page, in the browser of ada, who owns the project."""
    return sign_in(page, live_server, ada)

"""What every browser test asks of a page: that everybody can use it and that the browser has no complaint."""

from weakref import WeakKeyDictionary

from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client

_complaints = WeakKeyDictionary()
# The answer to a form that isn't valid, which htmx swaps in; the browser calls it a failed resource.
_EXPECTED = ("status of 422",)


def watch_console(page):
    """Collect the page's errors, warnings and policy violations from now on; conftest does it for `page`."""
    found = _complaints.setdefault(page, [])
    page.on(
        "console", lambda message: found.append(message.text) if message.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: found.append(str(error)))
    return page


def assert_no_console_errors(page, *, expected=_EXPECTED):
    """Fail with every complaint since `watch_console`, among them what the Content-Security-Policy refused."""
    found = [text for text in _complaints[page] if not any(part in text for part in expected)]
    assert not found, "\n".join(found)


def sign_in(page, live_server, user):
    """Give the page's browser the session of `user`: quicker than typing, and people without password can, too."""
    client = Client()
    client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[0])
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])
    return page


def _violations(page):
    # preload makes axe re-insert every style sheet as an inline one, which the policy refuses, rightly.
    for violation in Axe().run(page, options={"preload": False}).response["violations"]:
        for node in violation["nodes"]:
            yield f"{violation['id']}: {' '.join(map(str, node['target']))}\n    {node['failureSummary']}"


def assert_accessible(page, *, choices=True):
    """Run axe in both themes, as the system's wish and, with `choices`, as the person's against the system."""
    chosen = page.evaluate("document.documentElement.dataset.theme ?? null")
    found = {}
    for system in ("light", "dark"):
        page.emulate_media(color_scheme=system, reduced_motion="reduce")
        against = ["dark" if system == "light" else "light"] if choices else []
        for choice in (None, *against):
            _choose(page, choice)
            found |= dict.fromkeys(f"[{choice or system}] {text}" for text in _violations(page))
    page.emulate_media(color_scheme="null", reduced_motion="null")
    _choose(page, chosen)
    assert not found, f"{page.url}\n" + "\n".join(found)


def _choose(page, theme):
    root = page.locator("html")
    root.evaluate("({dataset}, theme) => theme ? (dataset.theme = theme) : delete dataset.theme", theme)

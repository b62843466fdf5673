"""Rules of the house that a test can check, so that nobody has to remember them."""

import re
import subprocess
from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import get_template

ROOT = Path(settings.BASE_DIR)
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
VIEWS = sorted(
    path
    for app in ("evalapp", "annotation")
    for path in (ROOT / app).rglob("*.py")
    if path.name in ("views.py", "api.py") or path.parent.name == "views"
)
TOP_LEVEL = {"manage.py", "pyproject.toml", "evalapp", "annotation", "templates", "static", "tests", "README.md"}
TOP_LEVEL |= {"LICENSE", "requirements.lock", "requirements-dev.lock"}
INLINE = {
    "a style attribute": re.compile(r"<[^>]*\sstyle\s*=", re.I),
    "a style element": re.compile(r"<style\b", re.I),
    "a script body": re.compile(r"<script\b(?![^>]*\bsrc=)(?![^>]*type=\"application/json\")", re.I),
    "an event attribute": re.compile(r"<[^>]*\s(on[a-z]+|hx-on[:a-z-]*)\s*=", re.I),
    "a javascript: link": re.compile(r"javascript:", re.I),
    "another host's script or style": re.compile(r"<(script|link|img)\b[^>]*(src|href)=\"(https?:)?//", re.I),
}


def inline_things(markup):
    markup = re.sub(r"\{#.*?#\}|\{% comment %\}.*?\{% endcomment %\}", "", markup, flags=re.S)
    return [what for what, pattern in INLINE.items() if pattern.search(markup)]


def relative(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("template", TEMPLATES, ids=relative)
def test_a_template_holds_nothing_that_the_security_policy_forbids(template):
    assert inline_things(template.read_text()) == []


@pytest.mark.parametrize(
    "markup",
    [
        '<p style="color: red">',
        "<style>",
        "<script>alert(1)</script>",
        '<a onclick="x()">',
        '<a hx-on:click="x()">',
        '<a href="javascript:x()">',
        '<script src="https://cdn.example/x.js">',
    ],
)
def test_the_rule_above_can_fail(markup):
    assert inline_things(markup)


@pytest.mark.parametrize("template", TEMPLATES, ids=relative)
def test_a_template_can_be_parsed(template):
    get_template(str(template.relative_to(ROOT / "templates")))


@pytest.mark.parametrize("module", VIEWS, ids=relative)
def test_a_view_starts_at_the_project(module):
    """`Model.objects` in a view is a query that forgot its tenant."""
    found = re.findall(r"\b[A-Z]\w+\.objects\b", module.read_text())
    if relative(module) == "evalapp/projects/views/site.py":
        found = [name for name in found if name != "UserSession.objects"]  # of request.user; no project there
    assert found == []


def test_the_top_level_stays_small():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    names = {line.split("/")[0] for line in listed.stdout.splitlines()}
    assert {name for name in names if not name.startswith(".")} <= TOP_LEVEL


def test_the_readme_names_every_app_and_no_other():
    apps = {app for app in settings.INSTALLED_APPS if app.startswith("evalapp.") or app == "annotation"}
    named = set(re.findall(r"`(evalapp/\w+|annotation)/?`", (ROOT / "README.md").read_text()))
    paths = {app.replace(".", "/") for app in apps}
    assert paths <= named
    assert {name for name in named if not (ROOT / name).is_dir()} == set()

import gzip
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from django import forms
from django.conf import settings
from django.contrib.staticfiles import finders
from django.http import HttpRequest
from django.template import Context, Template
from django.template.loader import render_to_string
from django.utils.timezone import now

from evalapp.core.templatetags import ui

SPRITE = set(re.findall(r'symbol id="([^"]+)"', (settings.BASE_DIR / "static/img/icons.svg").read_text()))


def render(source, **context):
    return Template(source).render(Context(context))


def request_with(path="/", **cookies):
    request = HttpRequest()
    request.path, request.COOKIES = path, cookies
    return request


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (None, "–"),
        (0, "0 ms"),
        (0.42, "0.4 ms"),
        (850.2, "850 ms"),
        (999.6, "1.00 s"),
        (1240, "1.24 s"),
        (59_940, "59.9 s"),
        (59_960, "1m"),
        (125_000, "2m 5s"),
        (3_780_000, "1h 3m"),
        (timedelta(seconds=2), "2.00 s"),
    ],
)
def test_a_duration_has_the_unit_that_reads_best(milliseconds, text):
    assert ui.duration(milliseconds) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0, "0"),
        (1234567, "1,234,567"),
        (0.5, "0.5"),
        (0.12345, "0.123"),
        (2.0, "2"),
        (-3.25, "-3.25"),
    ],
)
def test_a_number_is_grouped_and_not_longer_than_needed(value, text):
    assert ui.number(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (999, "999"), (1000, "1k"), (12_345, "12.3k"), (4_600_000, "4.6M")],
)
def test_a_compact_number_keeps_its_size(value, text):
    assert ui.compact(value) == text


@pytest.mark.parametrize(
    ("dollars", "text"),
    [(None, "–"), (0, "$0"), (0.00001, "<$0.0001"), (0.0042, "$0.0042"), (0.5, "$0.5000"), (1234.5, "$1,234.50")],
)
def test_a_cost_is_never_rounded_to_nothing(dollars, text):
    assert ui.cost(dollars) == text


def test_a_long_id_keeps_both_ends():
    assert ui.truncate_middle("4bf92f3577b34da6a3ce929d0e0e4736", 12) == "4bf92f…e4736"
    assert ui.truncate_middle("short", 12) == "short"


@pytest.mark.parametrize(
    ("ago", "text"),
    [
        (timedelta(seconds=5), "just now"),
        (timedelta(minutes=3), "3m ago"),
        (timedelta(hours=5), "5h ago"),
        (timedelta(days=2), "2d ago"),
        (timedelta(minutes=-3, seconds=-5), "in 3m"),
    ],
)
def test_a_recent_time_is_relative(ago, text):
    assert f">{text}</time>" in ui.time_ago(now() - ago)


def test_an_old_time_is_a_date_and_the_moment_is_on_hover():
    markup = ui.time_ago(datetime(2020, 3, 1, 12, 30, tzinfo=UTC))
    assert ">1 Mar 2020</time>" in markup
    assert 'title="2020-03-01 12:30:00 UTC"' in markup
    assert 'datetime="2020-03-01T12:30:00.000+00:00"' in markup


def test_only_known_preferences_reach_the_html_element():
    known = {"request": request_with(theme="dark", hotkeys="off")}
    forged = {"request": request_with(theme='"><script>', hotkeys="on")}
    assert ui.html_preferences(known) == ' data-theme="dark" data-hotkeys="off"'
    assert ui.html_preferences(forged) == ui.html_preferences({}) == ""


def test_a_link_is_current_on_its_page_and_below_it_but_not_beside_it():
    def current(path):
        return bool(ui.current_if({"request": request_with(path)}, "/project/1/scores"))

    assert current("/project/1/scores") and current("/project/1/scores/9")
    assert not current("/project/1/scoresheet")


def test_an_unknown_observation_type_looks_like_a_span():
    assert "otype--span" in ui.observation_type("<b>")
    assert "otype--tool" in ui.observation_type("TOOL")


def test_an_avatar_escapes_the_initials():
    markup = ui.avatar(SimpleNamespace(pk=1, initials="<A"))
    assert "&lt;A" in markup and "<A" not in markup


class NameForm(forms.Form):
    name = forms.CharField(help_text="Shown to reviewers.")
    agree = forms.BooleanField(required=False)
    kind = forms.ChoiceField(choices=[("a", "A")], widget=forms.RadioSelect)


def test_a_field_ties_its_label_help_and_error_together():
    html = render("{% field form.name %}", form=NameForm({"name": "", "kind": "a"}))
    assert '<label for="id_name">Name' in html
    described = re.search(r'<input[^>]*aria-describedby="([^"]+)"', html)[1].split()
    assert described == ["id_name_helptext", "id_name_error"]
    assert all(f'id="{name}"' in html for name in described)
    assert 'aria-invalid="true"' in html


def test_radio_buttons_are_grouped_under_a_legend():
    html = render("{% field form.kind %}", form=NameForm())
    assert "<fieldset" in html and "<legend>Kind" in html


def test_a_checkbox_stands_before_its_label():
    html = render("{% field form.agree %}", form=NameForm())
    assert html.index("<input") < html.index("<label")


def test_pagination_shows_only_ways_that_exist():
    html = render_to_string("_ui/_pagination.html", {"page": {"older_url": "?before=9", "newer_url": ""}})
    assert 'href="?before=9"' in html and html.count("<a ") == 1
    assert render_to_string("_ui/_pagination.html", {"page": {}}).strip() == ""


def test_every_icon_that_a_template_names_is_in_the_sprite():
    named = {}
    for file in (settings.BASE_DIR / "templates").rglob("*.html"):
        source = file.read_text()
        for name in re.findall(r"""{% icon ["']([^"']+)""", source) + re.findall(r'icon="([^"]+)"', source):
            named.setdefault(name, file.name)
    assert {name: file for name, file in named.items() if name not in SPRITE} == {}
    assert {kind.lower() for kind in ui.OBSERVATION_TYPES} <= SPRITE


def test_colours_are_written_in_the_tokens_only():
    colour = re.compile(r"#[0-9a-f]{3,8}\b|\b(?:rgba?|hsla?|oklch|lab|lch)\(|light-dark\(", re.IGNORECASE)
    found = {}
    for file in (settings.BASE_DIR / "static/css").rglob("*.css"):
        css = re.sub(r"/\*.*?\*/|url\([^)]*\)", "", file.read_text(), flags=re.S)
        if file.name != "tokens.css" and (colours := colour.findall(css)):
            found[file.name] = colours
    assert found == {}


def test_every_style_sheet_is_listed_once_in_app_css():
    css = settings.BASE_DIR / "static/css"
    listed = re.findall(r'@import url\("([^"]+)"\)', (css / "app.css").read_text())
    present = {str(file.relative_to(css)) for file in css.rglob("*.css")} - {"app.css"}
    assert sorted(listed) == sorted(present)


def test_no_template_needs_an_exception_from_the_content_security_policy():
    inline = re.compile(
        r"""\sstyle=|<style|\son[a-z]+=|javascript:|hx-on|<script(?![^>]* (?:src=|type="application/json"))"""
    )
    found = {}
    for file in (settings.BASE_DIR / "templates").rglob("*.html"):
        if matches := inline.findall(re.sub(r"{#.*?#}", "", file.read_text())):
            found[str(Path(file).relative_to(settings.BASE_DIR))] = matches
    assert found == {}


def test_the_500_page_needs_neither_request_nor_database():
    html = render_to_string("500.html")
    assert "<h1>Something broke on our side</h1>" in html


def test_a_missing_page_says_what_to_do_next(client, db):
    response = client.get("/no/such/page")
    assert response.status_code == 404
    assert "ask them to invite you" in response.content.decode()


def test_all_styles_and_scripts_weigh_at_most_150_kb_compressed():
    static = settings.BASE_DIR / "static"
    files = [
        *static.rglob("css/**/*.css"),
        *static.glob("js/*.js"),
        Path(finders.find("django_htmx/htmx-2.min.js")),
    ]
    assert sum(len(gzip.compress(file.read_bytes())) for file in files) <= 150_000

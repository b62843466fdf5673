"""Finding and reading traces in a real browser."""

import json
import os
from pathlib import Path

import pytest
from django.utils.timezone import now
from playwright.sync_api import expect

from evalapp.traces.models import Observation
from evalapp.traces.reading import read_trace
from tests.e2e.pages import assert_accessible, assert_no_console_errors
from tests.factories import make_queue, make_trace
from tests.traces.test_reading import START, assistant, record, tool, user

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

CALL = assistant(None, ("c1", "get_order", {"order_id": "W1"}))
ORDER = json.dumps({"order_id": "W1", "status": "sent", "items": [{"name": "mug", "price": 9.5}] * 2})
SYSTEM = {"role": "system", "content": "You are a **support agent**.\n\n- be brief"}


@pytest.fixture
def chat(project):
    """A trace with everything that a conversation has."""
    first = [SYSTEM, user("Where is order W1?")]
    second = [*first, CALL, tool("c1", ORDER)]
    rows = [
        {"type": "AGENT", "name": "support", "in": "Where is order W1?", "out": "It was **sent**."},
        {"type": "GENERATION", "name": "plan", "in": first, "out": CALL, "model": "gpt-4o", "total_tokens": 120},
        {"type": "TOOL", "name": "get_order", "in": {"order_id": "W1"}, "out": ORDER, "meta": {"call_id": "c1"}},
        {"type": "SPAN", "name": "audit", "in": "x", "level": "ERROR", "status_message": "Audit failed"},
        {"type": "GENERATION", "name": "answer", "in": second, "out": assistant("It was **sent**.")},
    ]
    fields = {"tags": ["vip"], "user_id": "ann", "session_id": "chat/1", "metadata": {"plan": "gold"}}
    return record(project, rows, name="support", error_count=1, input_preview="Where is order W1?", **fields)


def test_from_the_list_into_a_trace_and_through_it_by_keyboard(as_ada, live_server, project, chat):
    make_trace(project, name="other", start=START.replace(year=2025))
    page = as_ada
    page.goto(f"{live_server.url}/project/{project.pk}/traces")
    page.keyboard.press("j")
    expect(page.get_by_role("link", name="support", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="support")).to_be_visible()
    conversation = page.locator("#trace-entries")
    expect(conversation.get_by_text("Where is order W1?")).to_have_count(1)
    expect(conversation.get_by_text("It was sent.")).to_have_count(1)
    card = page.get_by_role("region", name="Tool get_order")
    expect(card).to_contain_text('order_id="W1"')
    expect(card).to_contain_text("mug")
    expect(page.get_by_text("Audit failed")).to_be_visible()

    for expected in ("o0", "o1", "o2", "o3", "o4"):
        page.keyboard.press("]")
        expect(page.locator(".is-current")).to_have_attribute("data-observation-id", expected)
    page.keyboard.press("[")
    expect(page.locator(".is-current")).to_have_attribute("data-observation-id", "o3")

    page.keyboard.press("t")
    expect(page.get_by_role("navigation", name="Steps of the trace")).to_be_visible()
    expect(page).to_have_url(f"{live_server.url}/project/{project.pk}/traces/{chat.id}?view=tree")
    page.keyboard.press("]")
    expect(page.locator("#observation-panel").get_by_role("heading", name="plan")).to_be_visible()
    page.get_by_role("link", name="get_order").click()
    expect(page.locator("#observation-panel").get_by_role("heading", name="get_order")).to_be_visible()

    page.keyboard.press("r")
    expect(page.locator("#trace-raw")).to_contain_text('"order_id": "W1"')
    page.go_back()
    expect(page.get_by_role("navigation", name="Steps of the trace")).to_be_visible()
    page.keyboard.press("m")
    expect(page.locator("#trace-entries")).to_be_visible()
    assert_no_console_errors(page)


def test_ticked_traces_go_into_a_queue(as_ada, live_server, project, chat):
    queue = make_queue(project, name="Weekly")
    project.scores.create(trace_id=chat.id, name="tone", data_type="NUMERIC", source="API", value=0.5)
    page = as_ada
    page.goto(f"{live_server.url}/project/{project.pk}/traces")
    expect(page.get_by_text("tone 0.5")).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.get_by_text("1 selected")).to_be_visible()
    page.get_by_label("Queue", exact=True).select_option("Weekly")
    assert_accessible(page)
    page.get_by_role("button", name="Add to queue").click()
    expect(page.get_by_text("1 added")).to_be_visible()
    assert [item.object_id for item in queue.items.all()] == [chat.id]
    assert_no_console_errors(page)


def test_the_pages_are_accessible_in_both_themes(as_ada, live_server, project, chat):
    project.sessions.create(id="chat/1", first_seen=START, last_seen=START)
    base = f"{live_server.url}/project/{project.pk}"
    for path in ("traces", "traces?tag=vip", f"traces/{chat.id}", f"traces/{chat.id}?view=tree&observation=o1"):
        as_ada.goto(f"{base}/{path}")
        assert_accessible(as_ada)
    for path in (f"traces/{chat.id}?view=raw", "sessions", "sessions/chat/1", "traces?tag=none"):
        as_ada.goto(f"{base}/{path}")
        assert_accessible(as_ada)
    assert_no_console_errors(as_ada)


def test_a_link_to_an_observation_shows_it(as_ada, live_server, project):
    rows = [{"type": "SPAN", "name": f"step {number}", "in": "x " * 50} for number in range(200)]
    trace = record(project, [{"type": "CHAIN", "name": "root", "in": "go"}, *rows])
    as_ada.goto(f"{live_server.url}/project/{project.pk}/traces/{trace.id}?observation=o150")
    expect(as_ada.locator(".is-current")).to_have_attribute("data-observation-id", "o150")
    expect(as_ada.locator(".is-current")).to_be_in_viewport()
    assert_no_console_errors(as_ada)


def test_scrolling_down_a_long_trace_loads_the_rest(as_ada, live_server, project):
    rows = [{"type": "SPAN", "name": f"step {number}", "parent_id": "o0", "in": "x"} for number in range(4999)]
    trace = record(project, [{"type": "CHAIN", "name": "root", "in": "go"}, *rows])
    page = as_ada
    page.goto(f"{live_server.url}/project/{project.pk}/traces/{trace.id}?view=tree")
    rows = page.locator(".tree__row")
    expect(rows).to_have_count(200)
    page.locator("[data-more]").scroll_into_view_if_needed()
    expect(rows).to_have_count(400)
    assert_no_console_errors(page)


HOSTILE = [
    "<script>window.hacked = 1</script>",
    "<img src=x onerror='window.hacked = 1'>",
    "**x** <svg onload='window.hacked = 1'></svg>",
    "[click](javascript:window.hacked=1) and **bold**",
    "![pixel](https://evil.invalid/pixel.png) **bold**",
    "</div></section><h1>Injected</h1>",
    "{{ 7|add:7 }} {% csrf_token %}",
    "\u202egnp.exe \x1b[31mred\x1b[0m \x07",
    '"><script>window.hacked = 1</script>',
    "[" * 5000 + "]" * 5000,
    '{"<script>window.hacked=1</script>": {"onerror": "<img src=x onerror=window.hacked=1>"}}',
    "data:image/svg+xml;base64," + "PHN2ZyBvbmxvYWQ9ImFsZXJ0KDEpIj4=" * 10,
    "data:text/html;base64," + "PHNjcmlwdD4=" * 20,
    "word " * 2_000_000,
    "x" * 1_000_000,
    "# " * 20_000,
    "`" * 20_000,
    "[" * 10_000 + "(" * 10_000,
    "|a|\n|-|\n" + "|b|\n" * 5000,
    "> " * 3000 + "deep quote",
    "* " * 3000 + "deep list",
]


FORBIDDEN = (
    "main :is(script, iframe, svg:not(.icon), [onload], [onerror], [style], [href^='javascript'], [href^='data'])"
)


def test_hostile_content_is_inert_in_every_view(as_ada, live_server, project):
    rows = [{"type": "AGENT", "name": "<b>root</b>", "in": "Hi"}]
    for number, text in enumerate(HOSTILE):
        name = text[:60].replace("\0", "")
        rows.append({"type": "GENERATION", "name": name, "in": [user(f"{number} {text}")], "out": assistant(text)})
        rows.append({"type": "TOOL", "name": name, "in": {text[:100]: text[:1000]}, "out": text})
        rows.append(
            {"type": "SPAN", "name": name, "in": text, "out": text, "level": "ERROR", "status_message": text}
        )
    evil = '"><script>window.hacked=1</script>'
    trace = record(
        project, rows, id="evil'<b>", name=evil, tags=[evil], user_id=evil, session_id=evil, metadata={evil: evil}
    )
    trace.input_preview = trace.output_preview = evil
    trace.save()
    project.sessions.create(id=evil, first_seen=START, last_seen=now())
    page = as_ada
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: pytest.fail(f"a dialog: {dialog.message}"))
    base = f"{live_server.url}/project/{project.pk}"
    paths = ["traces", "sessions", "traces/evil'%3Cb%3E", "traces/evil'%3Cb%3E?view=raw"]
    paths += [f"traces/evil'%3Cb%3E?view=tree&observation=o{number}" for number in range(len(rows))]
    for path in paths:
        page.goto(f"{base}/{path}")
        page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        assert page.evaluate("window.hacked") is None, path
        assert page.locator("h1").count() == 1, path
        assert page.locator(FORBIDDEN).count() == 0, path
    assert {url for url in asked if not url.startswith((live_server.url, "data:image/"))} == set()
    assert_no_console_errors(page)


def corpora():
    root = os.environ.get("EVALAPP_CORPORA")
    return [] if not root else [Path(root) / name for name in ("agentrx_tau_retail", "tau_airline")]


@pytest.mark.skipif(not corpora(), reason="EVALAPP_CORPORA names no folder with real traces")
@pytest.mark.parametrize("corpus", corpora(), ids=lambda path: path.name)
def test_real_traces_read_as_what_they_were(project, corpus):
    """Each user turn once, each tool call joined with its result, each observation on the page."""
    for line in (corpus / "traces.jsonl").read_text().splitlines():
        source = json.loads(line)
        rows = [
            {
                **{key: row[key] for key in ("id", "parent_id", "type", "name", "model", "level")},
                "in": row["input"],
                "out": row["output"],
                "meta": row["metadata"],
            }
            for row in source["observations"]
        ]
        reading = read_trace(project, record(project, rows, id=source["id"]).id)
        entries, kinds = reading.entries, [row["type"] for row in rows]
        assert reading.total == len(entries)
        assert not [entry for entry in entries if entry.kind != "message"]
        users = [entry.parts for entry in entries if entry.role == "user"]
        assert users == [[row["input"]] for row in source["observations"] if row["type"] == "SPAN"]
        answers = [entry.parts for entry in entries if entry.role == "assistant" and entry.parts]
        said = [row["output"]["content"] for row in source["observations"] if row["type"] == "GENERATION"]
        assert answers == [[text] for text in said if text]
        cards = [card for entry in entries for card in entry.calls]
        assert len(cards) == kinds.count("TOOL")
        assert all(card.node and card.result is not None for card in cards)
        assert [card.node.observation.id for card in cards] == [row["id"] for row in rows if row["type"] == "TOOL"]
        assert set().union(*(entry.ids for entry in entries)) == {row["id"] for row in rows}
        Observation.objects.filter(trace_id=source["id"]).delete()

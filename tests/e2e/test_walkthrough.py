"""The main job on real traces: import, queue, review by keyboard, and the notes over the API."""

import os
import re
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client
from playwright.sync_api import expect

from evalapp.scores.models import DataType
from tests import factories
from tests.e2e.pages import assert_no_console_errors

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
CORPUS = Path(os.environ.get("EVALAPP_CORPORA", "")) / "agentrx_tau_retail"


@pytest.mark.skipif("EVALAPP_CORPORA" not in os.environ, reason="EVALAPP_CORPORA is not set: no real traces here.")
def test_real_traces_are_queued_reviewed_by_keyboard_and_read_back(as_ada, live_server, project, api_key):
    page, keys = as_ada, as_ada.keyboard
    call_command("import_traces", str(CORPUS), project=project.pk, verbosity=0)
    factories.make_config(project, "Note", DataType.TEXT)
    factories.make_config(project, "Pass")

    # A queue, made on its page.
    page.goto(f"{live_server.url}/project/{project.pk}/annotation-queues/new")
    page.get_by_label("Name", exact=True).fill("Retail, first look")
    for name in ("Note", "Pass"):
        page.get_by_role("checkbox", name=f"Use {name}").check()
    page.get_by_role("button", name="Create queue").click()
    expect(page.get_by_role("heading", name="Retail, first look")).to_be_visible()

    # Twenty traces, ticked in the list by keyboard.
    page.goto(f"{live_server.url}/project/{project.pk}/traces")
    for _ in range(20):
        keys.press("j")
        keys.press("x")
    expect(page.get_by_text("20 selected")).to_be_visible()
    page.get_by_label("Queue", exact=True).focus()
    expect(page.get_by_label("Queue", exact=True)).to_contain_text("Retail, first look")
    page.get_by_label("Queue", exact=True).select_option(label="Retail, first look")
    page.get_by_role("button", name="Add to queue").click()
    queue = project.annotation_queues.get()
    expect(page.get_by_text("20").first).to_be_visible()
    assert queue.items.count() == 20

    # Five reviews without the mouse, the third interrupted by a reload in mid-note.
    page.goto(f"{live_server.url}/project/{project.pk}/annotation-queues/{queue.pk}/items")
    for number in range(1, 6):
        expect(page.get_by_text(f"{number} of 20", exact=True)).to_be_visible()
        expect(page.locator("form[data-begun]")).to_be_visible()
        keys.press("n")
        keys.type(f"Reading {number}: the agent skipped")
        if number == 3:
            expect(page.get_by_text(re.compile(r"Saved \d\d:\d\d"))).to_be_visible()
            page.reload()
            expect(page.locator("form[data-begun]")).to_be_visible()
            expect(page.get_by_role("textbox", name="Note")).to_have_value("Reading 3: the agent skipped")
            keys.press("n")
            keys.press("End")
        keys.type(" the identity check.")
        keys.press("Control+Enter")
    expect(page.get_by_text("6 of 20", exact=True)).to_be_visible()
    assert_no_console_errors(page)

    # The notes, as a program reads them.
    api = Client(headers={"Authorization": api_key.basic})
    query = {"queueId": queue.pk, "dataType": "TEXT", "limit": 100}
    notes = api.get("/api/public/v2/scores", query).json()["data"]
    expected = {f"Reading {number}: the agent skipped the identity check." for number in range(1, 6)}
    assert {note["stringValue"] for note in notes} == expected
    assert {(note["source"], note["name"]) for note in notes} == {("ANNOTATION", "Note")}
    first_reviewed = list(queue.items.order_by("position").values_list("object_id", flat=True)[:5])
    assert {note["traceId"] for note in notes} == set(first_reviewed)

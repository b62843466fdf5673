"""The API reference, in a real browser and without an account."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.pages import assert_accessible, assert_no_console_errors

pytestmark = pytest.mark.e2e


def test_a_stranger_finds_an_operation_and_reads_it(page, live_server):
    page.goto(f"{live_server.url}/api/reference")
    page.locator(".reference__nav summary").filter(has_text=re.compile("^Scores")).click()
    page.get_by_role("link", name="Write a score, or many").click()
    command = page.locator("#curl-writeScores")
    expect(command).to_be_visible()
    expect(command).to_contain_text("/api/public/scores")
    expect(page.locator("#writeScores").get_by_role("heading", name="Answer 207")).to_be_visible()
    assert_accessible(page)
    assert_no_console_errors(page)


def test_it_fits_a_phone(page, live_server):
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{live_server.url}/api/reference#listTraces")
    expect(page.locator("#curl-listTraces")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390

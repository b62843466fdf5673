"""Reviewing in a real browser: by keyboard alone, through reloads, lost connections and company."""

import re

import pytest
from django.contrib.sessions.models import Session
from django.urls import reverse
from playwright.sync_api import expect

from annotation.keymap import KEYMAP
from annotation.models import Review, ReviewState
from evalapp.scores.models import DataType, Score
from tests.e2e.pages import assert_accessible, assert_no_console_errors, sign_in, watch_console
from tests.factories import make_config, make_queue, make_trace

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

TONE = [{"label": "warm", "value": 1}, {"label": "cold", "value": 0}]
STEPS = [
    {"type": "TOOL", "name": "lookup", "input": '{"order": 1}', "output": '{"state": "lost"}'},
    {"type": "GENERATION", "name": "answer", "input": "state: lost", "output": "It is on its way."},
]


@pytest.fixture
def configs(project):
    return [
        make_config(project, "Note", DataType.TEXT),
        make_config(project, "Pass"),
        make_config(project, "Tone", DataType.CATEGORICAL, categories=TONE),
        make_config(project, "Stars", DataType.NUMERIC, min_value=1, max_value=5),
    ]


@pytest.fixture
def queue(project, configs):
    traces = [make_trace(project, observations=[dict(step) for step in STEPS]) for _ in range(6)]
    return make_queue(project, configs=configs, traces=traces, name="First look", instructions="Read *all* of it.")


@pytest.fixture
def review(page, live_server, ben, queue):
    """The page, at the first item of the queue, as ben."""
    sign_in(page, live_server, ben)
    page.goto(live_server.url + reverse("annotation:review_next", args=[queue.project_id, queue.pk]))
    expect(page.get_by_text("1 of 6", exact=True)).to_be_visible()
    expect(page.locator("form[data-begun]")).to_be_visible()  # its scripts have run
    return page


def note(page):
    return page.get_by_role("textbox", name="Note")


def saved(page):
    expect(page.get_by_text(re.compile(r"Saved \d\d:\d\d"))).to_be_visible()


def at(page, number):
    expect(page.get_by_text(f"{number} of 6", exact=True)).to_be_visible()


def test_reviewing_by_keyboard_alone(review, project):
    keys = review.keyboard
    for number in range(1, 6):
        keys.press("1" if number % 2 else "2")
        keys.press("n")
        keys.type(f"Note {number}: digits 1 2 and d, s, u, x are text here")
        keys.press("Control+Enter")
        at(review, number + 1)
    assert_no_console_errors(review)
    assert project.scores.filter(data_type="TEXT").count() == 5
    assert list(
        project.scores.filter(name="Pass").order_by("timestamp").values_list("string_value", flat=True)
    ) == ["True", "False", "True", "False", "True"]


def test_a_judgement_and_next_is_two_keys(review, project):
    review.keyboard.press("2")
    review.keyboard.press("Control+Enter")
    at(review, 2)
    assert project.scores.get().string_value == "False"


def test_every_key_of_the_table_does_something(review, queue, project):
    keys, tried = review.keyboard, set()

    def press(command, key=None):
        tried.add(command)
        keys.press(
            key or next(entry.key for entry in KEYMAP if entry.command == command).replace("mod", "Control")
        )

    pass_true = review.get_by_role("radio", name="True")
    press("option", "1")
    expect(pass_true).to_be_checked()
    press("clear")
    expect(pass_true).not_to_be_checked()
    press("next_field")
    press("option", "2")
    expect(review.get_by_role("radio", name="cold")).to_be_checked()
    press("previous_field")
    press("option", "2")
    expect(review.get_by_role("radio", name="False")).to_be_checked()
    press("next_field")
    press("next_field")
    press("edit")
    expect(review.get_by_role("spinbutton", name="Stars")).to_be_focused()
    keys.type("4")
    press("leave")
    expect(review.get_by_role("spinbutton", name="Stars")).not_to_be_focused()
    press("note")
    expect(note(review)).to_be_focused()
    press("leave")
    press("next_step")
    press("next_step")
    press("previous_step")
    press("next_step")
    press("mark")
    expect(review.locator(".is-anchor")).to_have_count(1)
    expect(review.get_by_role("button", name=re.compile(r"^Step \d+$"))).to_be_visible()
    details = review.locator("#review-trace details").evaluate_all("all => all.filter(one => one.open).length")
    press("fold")
    assert details != review.locator("#review-trace details").evaluate_all("a => a.filter(o => o.open).length")
    press("tree")
    expect(review.locator("#review-trace .tree")).to_be_visible()
    press("raw")
    expect(review.get_by_label("The trace as JSON")).to_be_visible()
    press("conversation")
    expect(review.locator("#review-trace .conversation")).to_be_visible()
    expect(review.get_by_text("Read all of it.")).to_be_visible()
    press("instructions")
    expect(review.get_by_text("Read all of it.")).to_be_hidden()
    press("defer")
    at(review, 2)
    press("next")
    at(review, 3)
    press("previous")
    at(review, 2)
    press("next")
    at(review, 3)
    press("undo")
    at(review, 2)
    press("complete")
    at(review, 3)
    press("go")
    expect(review.get_by_role("spinbutton", name="Item number")).to_be_focused()
    keys.type("5")
    keys.press("Enter")
    at(review, 5)
    expect(review.locator("form[data-begun]")).to_be_visible()  # its scripts have run
    keys.press("?")
    for entry in KEYMAP:
        expect(review.get_by_role("dialog").get_by_text(entry.label, exact=True)).to_be_visible()
    assert tried == {entry.command for entry in KEYMAP}
    assert_no_console_errors(review)


def test_the_marked_step_is_the_anchor_of_the_note(review, project):
    review.locator("#review-trace").get_by_text("It is on its way.").first.click()
    review.get_by_role("button", name="First failure").click()
    step = review.locator(".is-anchor").get_attribute("data-observation-id")
    note(review).fill("Says it is on its way, although it is lost")
    saved(review)
    review.reload()
    expect(review.locator(".is-anchor")).to_have_attribute("data-observation-id", step)
    review.get_by_role("button", name="Complete and next").click()
    at(review, 2)
    assert project.scores.get().observation_id == step


def test_a_reload_in_mid_note_loses_nothing(review):
    review.keyboard.press("2")
    note(review).fill("First half")
    saved(review)
    note(review).press_sequentially(" and second")  # reloaded before the autosave
    review.reload()
    expect(note(review)).to_have_value("First half and second")
    expect(review.get_by_role("radio", name="False")).to_be_checked()


def test_text_typed_without_a_connection_is_kept_and_saved_later(review):
    review.context.set_offline(True)
    note(review).fill("Typed in a tunnel")
    expect(review.get_by_text("No connection; your text is kept in this browser.")).to_be_visible()
    review.keyboard.press("Control+Enter")
    expect(note(review)).to_have_value("Typed in a tunnel")
    review.context.set_offline(False)
    review.get_by_role("button", name="Save again").or_(review.get_by_text("Saved")).first.wait_for()
    saved(review)
    review.keyboard.press("Control+Enter")
    at(review, 2)
    assert Score.objects.get().string_value == "Typed in a tunnel"


def test_a_server_error_keeps_the_text(review):
    review.route("**/complete", lambda route: route.fulfill(status=500, body="down"))
    note(review).fill("Do not lose me")
    review.keyboard.press("Control+Enter")
    expect(review.get_by_text("The server did not accept this; your text is still here.")).to_be_visible()
    expect(note(review)).to_have_value("Do not lose me")
    review.unroute("**/complete")
    review.keyboard.press("Control+Enter")
    at(review, 2)


def test_signed_out_while_typing_says_so_and_keeps_the_text(review, live_server, ben):
    Session.objects.all().delete()
    note(review).fill("Typed while signed out")
    expect(review.get_by_text("You are signed out; your text is kept.")).to_be_visible()
    review.keyboard.press("Control+Enter")
    expect(note(review)).to_have_value("Typed while signed out")
    sign_in(review, live_server, ben)
    review.get_by_role("button", name="save again").click()
    saved(review)
    review.keyboard.press("Control+Enter")
    at(review, 2)
    assert Score.objects.get().string_value == "Typed while signed out"


def test_two_tabs_on_one_item_show_each_other(review):
    other = watch_console(review.context.new_page())
    other.goto(review.url)
    note(review).fill("From the left tab")
    saved(review)
    note(other).fill("From the right tab")
    expect(other.get_by_text("This item was also edited elsewhere.")).to_be_visible()
    expect(other.get_by_text("From the left tab")).to_be_visible()
    expect(note(other)).to_have_value("From the right tab")
    other.get_by_role("button", name="Keep what I have here").click()
    saved(other)
    note(review).press_sequentially("!")
    expect(review.get_by_text("From the right tab")).to_be_visible()
    review.get_by_role("link", name="Take the other text").click()
    expect(note(review)).to_have_value("From the right tab")


def test_undo_survives_a_reload(review):
    note(review).fill("Too hasty")
    review.keyboard.press("Control+Enter")
    at(review, 2)
    review.reload()
    review.keyboard.press("u")
    at(review, 1)
    expect(note(review)).to_have_value("Too hasty")
    assert not Score.objects.exists()


def test_a_missing_required_answer_is_pointed_at(review, queue, configs):
    queue.fields.filter(config=configs[1]).update(required=True)
    note(review).fill("No verdict yet")
    review.keyboard.press("Control+Enter")
    expect(review.get_by_text("This field is required.")).to_be_visible()
    expect(note(review)).to_have_value("No verdict yet")
    review.keyboard.press("1")
    review.keyboard.press("Control+Enter")
    at(review, 2)


def test_two_reviewers_complete_a_queue_of_40_and_nothing_twice(browser, live_server, project, mel, ben, configs):
    queue = make_queue(project, configs=configs[:2], traces=[make_trace(project) for _ in range(40)])
    start = live_server.url + reverse("annotation:review_next", args=[project.pk, queue.pk])
    pages = []
    for person in (mel, ben):
        page = browser.new_context().new_page()
        sign_in(page, live_server, person).goto(start)
        pages.append((page, person))
    open_pages, turns = list(pages), 0
    while open_pages:
        for page, person in list(open_pages):  # in turns: each always has an item the other must not get
            if page.get_by_role("button", name="Complete and next").count() == 0:
                open_pages.remove((page, person))
                continue
            before = page.url
            page.keyboard.press("n")
            page.keyboard.type(f"{person} {turns}")
            page.keyboard.press("Control+Enter")
            page.wait_for_function("before => location.href !== before", arg=before)
            turns += 1
    assert turns == 40
    for page, _ in pages:
        expect(page.get_by_role("heading", name=re.compile("Everything here|Nothing is left"))).to_be_visible()
        page.context.close()
    completed = Review.objects.filter(queue=queue, state=ReviewState.COMPLETED)
    assert completed.count() == completed.values("item").distinct().count() == 40
    assert project.scores.filter(data_type="TEXT").count() == 40
    assert {review.reviewer for review in completed} == {mel, ben}


def test_the_end_of_the_queue_leads_back_to_ones_annotations(review, queue):
    queue.items.filter(position__gte=2).delete()
    note(review).fill("The only one")
    review.keyboard.press("Control+Enter")
    expect(review.get_by_text("2 of 2", exact=True)).to_be_visible()
    review.keyboard.press("ArrowRight")
    expect(review.get_by_role("heading", name="Nothing is left for you right now")).to_be_visible()
    assert_accessible(review)
    review.get_by_role("link", name="Review what you put aside").click()
    expect(review.get_by_text("2 of 2", exact=True)).to_be_visible()
    review.keyboard.press("Control+Enter")
    expect(review.get_by_role("heading", name="Everything here is reviewed")).to_be_visible()
    review.get_by_role("link", name="Review my annotations").click()
    expect(review.get_by_text("You completed this item.")).to_be_visible()
    review.keyboard.press("ArrowLeft")
    expect(note(review)).to_have_value("The only one")


def test_the_review_page_is_accessible(review):
    assert_accessible(review)
    review.set_viewport_size({"width": 390, "height": 844})
    assert_accessible(review)
    expect(note(review)).to_be_in_viewport()
    expect(review.get_by_role("button", name="Complete and next")).to_be_in_viewport()
    assert review.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize(
    "name",
    ["queue_list", "queue_create", "queue_detail", "queue_edit", "config_list", "config_create", "score_list"],
)
def test_the_pages_around_it_are_accessible(as_ada, live_server, queue, name):
    app = "scores" if name.startswith(("config", "score")) else "annotation"
    more = [queue.pk] if name in ("queue_detail", "queue_edit") else []
    as_ada.goto(live_server.url + reverse(f"{app}:{name}", args=[queue.project_id, *more]))
    assert_accessible(as_ada)
    as_ada.set_viewport_size({"width": 390, "height": 844})
    assert as_ada.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert_no_console_errors(as_ada)

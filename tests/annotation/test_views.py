import json

import pytest
from django.urls import reverse

from annotation.actions import complete, reserve_next_item, skip, update_queue
from annotation.models import Review, ReviewState
from evalapp.scores.models import DataType, Score
from tests.factories import make_config, make_queue, make_trace


@pytest.fixture
def note(project):
    return make_config(project, "Note", DataType.TEXT)


@pytest.fixture
def verdict(project):
    return make_config(project, "Pass")


@pytest.fixture
def queue(project, note, verdict):
    return make_queue(project, configs=[note, verdict], traces=[make_trace(project) for _ in range(3)])


@pytest.fixture
def as_ben(client, ben):
    client.force_login(ben)
    return client


def url(name, queue, *args):
    return reverse(f"annotation:{name}", args=[queue.project_id, queue.pk, *args])


def item(queue, position):
    return queue.items.get(position=position).pk


def form(review, **answers):
    typed = {f"answer-{key}": value for key, value in answers.items()}
    return {"draft_version": review.draft_version, "client": "", "anchor": "", **typed}


def test_starting_to_review_leads_to_the_first_item(as_ben, queue):
    response = as_ben.get(url("review_next", queue))
    assert response.url == url("review_item", queue, item(queue, 0))
    page = as_ben.get(response.url).content.decode()
    assert "1 of 3" in page
    assert "Where is my order?" in page
    for label in ("Complete and next", "Skip", "Defer", "Undo", "Note", "Pass"):
        assert label in page


def test_the_answer_to_completing_is_the_next_item(as_ben, queue, note, verdict):
    as_ben.get(url("review_next", queue))
    review = Review.objects.get()
    response = as_ben.post(
        url("review_complete", queue, item(queue, 0)),
        form(review, **{note.pk: "Forgot to ask", verdict.pk: "0"}),
        headers={"HX-Request": "true"},
    )
    assert response.status_code == 200
    assert response["HX-Push-Url"] == url("review_item", queue, item(queue, 1))
    assert "2 of 3" in response.content.decode()
    assert "<html" not in response.content.decode()
    assert sorted(Score.objects.values_list("string_value", flat=True)) == ["False", "Forgot to ask"]


def test_without_javascript_completing_redirects_to_the_next_item(as_ben, queue, note):
    as_ben.get(url("review_next", queue))
    response = as_ben.post(url("review_complete", queue, item(queue, 0)), form(Review.objects.get()))
    assert response.url == url("review_item", queue, item(queue, 1))


def test_a_missing_required_answer_keeps_what_was_typed(as_ben, queue, note, verdict):
    queue.fields.filter(config=verdict).update(required=True)
    as_ben.get(url("review_next", queue))
    response = as_ben.post(
        url("review_complete", queue, item(queue, 0)), form(Review.objects.get(), **{note.pk: "typed so far"})
    )
    assert response.status_code == 422
    assert "typed so far" in response.content.decode()
    assert "This field is required." in response.content.decode()


def test_a_stale_draft_is_refused_with_the_stored_text(as_ben, queue, note):
    as_ben.get(url("review_next", queue))
    review = Review.objects.get()
    address = url("review_draft", queue, item(queue, 0))
    first = as_ben.post(address, form(review, **{note.pk: "from the left tab"}))
    assert (first.status_code, first["X-Draft-Version"]) == (200, "1")
    second = as_ben.post(address, form(review, **{note.pk: "from the right tab"}))
    assert second.status_code == 409
    assert "from the left tab" in second.content.decode()
    complete = as_ben.post(url("review_complete", queue, item(queue, 0)), form(review, **{note.pk: "right"}))
    assert complete.status_code == 422
    page = complete.content.decode()
    assert "from the left tab" in page and "right" in page


def test_skipping_keeps_the_text_and_goes_on(as_ben, queue, note):
    as_ben.get(url("review_next", queue))
    response = as_ben.post(
        url("review_skip", queue, item(queue, 0)), form(Review.objects.get(), **{note.pk: "half a thought"})
    )
    assert response.url == url("review_item", queue, item(queue, 1))
    review = Review.objects.get(state=ReviewState.SKIPPED)
    assert review.draft["answers"] == {note.pk: "half a thought"}


def test_undo_goes_back_to_the_item(as_ben, queue, note):
    as_ben.get(url("review_next", queue))
    as_ben.post(url("review_complete", queue, item(queue, 0)), form(Review.objects.get(), **{note.pk: "x"}))
    response = as_ben.post(url("review_undo", queue))
    assert response.url == url("review_item", queue, item(queue, 0))
    assert not Score.objects.exists()


def test_the_end_of_a_queue_says_what_was_done(as_ben, queue):
    for position in range(3):
        as_ben.get(url("review_next", queue))
        review = Review.objects.get(state=ReviewState.RESERVED)
        response = as_ben.post(
            url("review_complete", queue, item(queue, position)), form(review), headers={"HX-Request": "true"}
        )
    assert response["HX-Push-Url"] == url("review_end", queue)
    assert "Everything here is reviewed" in response.content.decode()
    assert "3 of 3 completed" in as_ben.get(url("review_next", queue)).content.decode()


def test_an_item_of_a_deleted_trace_can_be_left(as_ben, queue, project):
    project.traces.all().delete()
    page = as_ben.get(url("review_next", queue), follow=True).content.decode()
    assert "This trace isn't here" in page
    assert "Skip" in page


def test_an_item_that_a_colleague_holds_is_read_only(as_ben, queue, mel):
    reserve_next_item(queue, reviewer=mel)
    page = as_ben.get(url("review_item", queue, item(queue, 0))).content.decode()
    assert "Others are reviewing this item right now" in page
    assert "Complete and next</" not in page


def test_a_reviewer_sees_only_queues_that_are_open_to_them(as_ben, queue, project, mel, ada):
    closed = make_queue(project, name="For Mel", configs=[])
    update_queue(queue, by=ada, name="For everyone")
    closed.reviewers.set([mel])
    page = as_ben.get(reverse("annotation:queue_list", args=[project.pk])).content.decode()
    assert "For everyone" in page and "For Mel" not in page
    assert as_ben.get(url("queue_detail", closed)).status_code == 404


def test_others_judgements_are_not_on_the_review_page(as_ben, queue, mel, note, ada):
    update_queue(queue, by=ada, reviewers_per_item=2)
    complete(reserve_next_item(queue, reviewer=mel), answers={note.pk: "Mel thinks so"})
    page = as_ben.get(url("review_next", queue), follow=True).content.decode()
    assert "1 of 3" in page
    assert "Mel thinks so" not in page


def test_a_signed_out_fragment_gets_401_and_no_sign_in_page(client, queue):
    address = url("review_complete", queue, item(queue, 0))
    assert client.post(address, headers={"HX-Request": "true"}).status_code == 401
    assert client.post(address).status_code == 302


def test_a_colleagues_review_cannot_be_written(as_ben, queue, mel):
    reserve_next_item(queue, reviewer=mel)
    for name in ("review_complete", "review_skip", "review_defer", "review_draft", "review_heartbeat"):
        assert as_ben.post(url(name, queue, item(queue, 0)), {"draft_version": "0"}).status_code == 404


def test_selected_traces_are_added_once(client, mel, queue, project):
    client.force_login(mel)
    traces = [make_trace(project).id for _ in range(2)]
    known = queue.items.get(position=0).object_id
    data = {"queue": queue.pk, "trace_id": [*traces, known, "never-seen"]}
    response = client.post(reverse("annotation:items_add", args=[project.pk]), data, follow=True)
    page = response.content.decode()
    assert "2 added" in page and "1 was in it already" in page and "1 no longer exist" in page
    assert queue.items.count() == 5


def test_the_export_holds_notes_with_author_and_queue(client, mel, queue, note):
    complete(reserve_next_item(queue, reviewer=mel), answers={note.pk: "=HYPERLINK(1), déjà vu\nline two"})
    client.force_login(mel)
    lines = client.get(url("queue_export", queue, "jsonl")).getvalue().decode().splitlines()
    row = json.loads(lines[0])
    assert (row["string_value"], row["author"]) == ("=HYPERLINK(1), déjà vu\nline two", "mel@example.com")
    assert row["queue_id"] == queue.pk
    table = client.get(url("queue_export", queue, "csv")).getvalue().decode()
    assert "'=HYPERLINK(1), déjà vu" in table


def test_a_queue_is_made_and_changed_by_an_admin(client, adam, ben, project, note, verdict):
    client.force_login(adam)
    data = {
        "name": "First look",
        "reviewers_per_item": "1",
        "reservation_minutes": "15",
        "order": "random",
        "order_seed": "7",
        f"use-{verdict.pk}": "on",
        f"position-{verdict.pk}": "2",
        f"use-{note.pk}": "on",
        f"position-{note.pk}": "1",
        f"required-{note.pk}": "on",
        "reviewers": [ben.pk],
    }
    response = client.post(reverse("annotation:queue_create", args=[project.pk]), data)
    queue = project.annotation_queues.get()
    assert response.url == url("queue_detail", queue)
    assert [(f.config, f.required) for f in queue.questions] == [(note, True), (verdict, False)]
    assert list(queue.reviewers.all()) == [ben]
    assert (queue.order, queue.order_seed) == ("random", 7)
    assert client.post(reverse("annotation:queue_create", args=[project.pk]), data).status_code == 422
    page = client.get(url("queue_edit", queue)).content.decode()
    assert "Seed of the random order" in page and '<option value="random" selected>' in page
    worse = {**data, "order": "best", "order_seed": "a lot"}
    refused = client.post(url("queue_edit", queue), worse)
    assert refused.status_code == 422 and {"order", "order_seed"} <= refused.context["form"].errors.keys()
    client.post(url("queue_edit", queue), {**data, "name": "Second look", "order": "newest", "reviewers": []})
    queue.refresh_from_db()
    assert queue.order == "newest"
    assert (queue.name, queue.reviewers.count()) == ("Second look", 0)
    client.post(url("queue_delete", queue))
    assert not project.annotation_queues.exists()


def test_places_are_counted_in_the_order_of_the_queue(as_ben, adam, queue):
    last = item(queue, 2)
    update_queue(queue, by=adam, order="newest")
    assert as_ben.get(url("review_go", queue), {"number": "1"}).url == url("review_item", queue, last)
    assert as_ben.get(url("review_next", queue)).url == url("review_item", queue, last)
    assert "1 of 3" in as_ben.get(url("review_item", queue, last)).content.decode()


def test_going_to_an_item_by_number(as_ben, queue):
    go = url("review_go", queue)
    assert as_ben.get(go, {"number": "3"}).url == url("review_item", queue, item(queue, 2))
    for nonsense in ("0", "9", "-1", "x", ""):
        assert as_ben.get(go, {"number": nonsense}).url == url("review_next", queue)


def test_looking_back_at_a_skipped_item_offers_its_form(as_ben, queue, ben):
    review = skip(reserve_next_item(queue, reviewer=ben))
    page = as_ben.get(url("review_item", queue, review.item_id)).content.decode()
    assert "Complete and next" in page


def test_a_removed_item_lets_the_reviewer_go_on(as_ben, queue):
    response = as_ben.get(url("review_item", queue, "gone"))
    assert response.status_code == 404
    assert "Go on reviewing" in response.content.decode()

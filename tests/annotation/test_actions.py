from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils.timezone import now

from annotation.actions import (
    DraftConflict,
    PlaceTaken,
    add_items,
    complete,
    create_queue,
    defer,
    keep_draft,
    open_item,
    remove_items,
    reserve_next_item,
    save_draft,
    set_item_status,
    skip,
    undo,
    update_queue,
)
from annotation.models import AnnotationQueue, QueueItem, Review, ReviewState
from evalapp.projects.models import AuditEntry
from evalapp.scores.actions import archive_score_config
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
    """Four items, 0 to 3."""
    return make_queue(project, configs=[note, verdict], traces=[make_trace(project) for _ in range(4)])


def position(review):
    return review and review.item.position


def next_position(queue, reviewer, **options):
    return position(reserve_next_item(queue, reviewer=reviewer, **options))


def finish(queue, reviewer, **answers):
    review = reserve_next_item(queue, reviewer=reviewer)
    return complete(review, answers=answers)


def let_leases_expire():
    past = now() - timedelta(seconds=1)
    Review.objects.filter(state=ReviewState.RESERVED).update(reserved_until=past)
    QueueItem.objects.filter(completed_at=None).update(available_from=past)


def test_items_come_oldest_first_and_one_person_keeps_what_they_began(queue, ben):
    assert next_position(queue, ben) == 0
    assert next_position(queue, ben) == 0
    finish(queue, ben)
    assert next_position(queue, ben) == 1


def test_two_reviewers_never_get_the_same_item(queue, ben, mel):
    assert [next_position(queue, ben), next_position(queue, mel)] == [0, 1]


def test_an_item_takes_as_many_reviewers_as_the_queue_asks_for(queue, ben, mel, ada):
    update_queue(queue, by=ada, reviewers_per_item=2)
    assert [next_position(queue, p) for p in (ben, mel, ada)] == [0, 0, 1]
    finish(queue, ben)
    assert queue.items.filter(completed_at=None).count() == 4
    finish(queue, mel)
    assert queue.items.get(completed_at__isnull=False).position == 0


def test_asking_for_more_reviewers_reopens_items_and_for_fewer_completes_them(queue, ben, ada):
    finish(queue, ben)
    update_queue(queue, by=ada, reviewers_per_item=2)
    assert queue.progress() == {"total": 4, "completed": 0}
    update_queue(queue, by=ada, reviewers_per_item=1)
    assert queue.progress() == {"total": 4, "completed": 1}


def test_an_expired_lease_frees_the_place(queue, ben, mel):
    reserve_next_item(queue, reviewer=ben)
    let_leases_expire()
    assert next_position(queue, mel) == 0
    assert next_position(queue, ben) == 1


def test_typing_renews_the_lease(queue, ben, mel):
    review = reserve_next_item(queue, reviewer=ben)
    soon = now() + timedelta(minutes=1)
    Review.objects.update(reserved_until=soon)
    review.refresh_from_db()
    review = save_draft(review, answers={}, version=0)
    assert review.reserved_until > soon + timedelta(minutes=10)
    assert queue.items.get(position=0).available_from == review.reserved_until


def test_an_assigned_queue_is_closed_to_others(queue, ben, mel, ada):
    update_queue(queue, by=ada, reviewers=[ben])
    assert next_position(queue, ben) == 0
    for attempt in (
        lambda: reserve_next_item(queue, reviewer=mel),
        lambda: open_item(queue.items.get(position=1), reviewer=mel),
    ):
        with pytest.raises(PermissionDenied):
            attempt()


def test_completing_writes_scores_with_author_queue_and_anchor(queue, ben, note, verdict):
    review = reserve_next_item(queue, reviewer=ben)
    complete(review, answers={note.pk: "Ignored the question\r\ntwice ", verdict.pk: "0"}, anchor="step-2")
    text, boolean = Score.objects.order_by("data_type").reverse()
    assert (text.string_value, text.observation_id) == ("Ignored the question\ntwice", "step-2")
    assert (boolean.value, boolean.string_value, boolean.observation_id) == (0.0, "False", "")
    for score in (text, boolean):
        assert (score.author, score.queue_id, score.source) == (ben, queue.pk, "ANNOTATION")
        assert score.trace_id == review.item.object_id


def test_required_fields_must_be_answered(queue, ben, verdict, note):
    queue.fields.filter(config=verdict).update(required=True)
    review = reserve_next_item(queue, reviewer=ben)
    with pytest.raises(ValidationError) as caught:
        complete(review, answers={note.pk: "kept"})
    assert list(caught.value.message_dict) == [verdict.pk]
    assert not Score.objects.exists()
    assert next_position(queue, ben) == 0


def test_an_archived_config_is_not_asked(queue, ben, ada, verdict):
    queue.fields.filter(config=verdict).update(required=True)
    archive_score_config(verdict, by=ada)
    assert finish(queue, ben).state == ReviewState.COMPLETED


def test_completing_twice_is_completing_once(queue, ben, note):
    review = reserve_next_item(queue, reviewer=ben)
    complete(review, answers={note.pk: "once"}, version=0)
    complete(review, answers={note.pk: "once"}, version=0)
    assert Score.objects.count() == 1
    assert review.actions.count() == 1


def test_a_finished_review_can_be_changed_and_cleared(queue, ben, note, verdict):
    review = finish(queue, ben, **{note.pk: "first", verdict.pk: "1"})
    review = save_draft(review, answers={note.pk: "second"}, version=review.draft_version)
    assert review.has_unapplied_edits
    review = complete(review, answers={note.pk: "second"}, version=review.draft_version)
    assert not review.has_unapplied_edits
    assert [s.string_value for s in Score.objects.all()] == ["second"]


def test_a_late_completion_counts_while_the_place_is_free(queue, ben):
    review = reserve_next_item(queue, reviewer=ben)
    let_leases_expire()
    assert complete(review, answers={}).state == ReviewState.COMPLETED


def test_a_late_completion_without_a_place_is_refused_and_its_text_kept(queue, ben, mel, note):
    late = reserve_next_item(queue, reviewer=ben)
    let_leases_expire()
    finish(queue, mel)
    with pytest.raises(PlaceTaken) as caught:
        complete(late, answers={note.pk: "too late"})
    keep_draft(caught.value.review, answers={note.pk: "too late"})
    late.refresh_from_db()
    assert late.draft["answers"] == {note.pk: "too late"}
    assert not Score.objects.filter(author=ben).exists()
    assert next_position(queue, ben) == 1


def test_drafts_are_versioned(queue, ben, note):
    review = reserve_next_item(queue, reviewer=ben)
    save_draft(review, answers={note.pk: "one"}, version=0, client="left tab")
    with pytest.raises(DraftConflict) as caught:
        save_draft(review, answers={note.pk: "two"}, version=0, client="right tab")
    assert caught.value.review.draft["answers"] == {note.pk: "one"}
    with pytest.raises(DraftConflict):
        complete(review, answers={note.pk: "two"}, version=0, client="right tab")
    assert save_draft(review, answers={note.pk: "two"}, version=1).draft_version == 2


def test_a_draft_sent_twice_is_saved_once(queue, ben, note):
    review = reserve_next_item(queue, reviewer=ben)
    for _ in range(2):
        assert save_draft(review, answers={note.pk: "one"}, version=0, client="a").draft_version == 1


def test_an_own_save_under_way_does_not_stop_the_completion(queue, ben, note):
    review = reserve_next_item(queue, reviewer=ben)
    save_draft(review, answers={note.pk: "on"}, version=0, client="tab")
    complete(review, answers={note.pk: "one"}, version=0, client="tab")
    assert Score.objects.get().string_value == "one"


def test_skipped_items_come_back_once_after_the_deferred_ones(queue, ben):
    skip(reserve_next_item(queue, reviewer=ben), reason="not mine")
    defer(reserve_next_item(queue, reviewer=ben))
    assert [position(finish(queue, ben)) for _ in range(3)] == [2, 3, 1]
    review = reserve_next_item(queue, reviewer=ben)
    assert position(review) == 0
    skip(review)
    assert reserve_next_item(queue, reviewer=ben, besides=review.item) is None
    assert reserve_next_item(queue, reviewer=ben) is None
    assert next_position(queue, ben, put_aside=True) == 0


def test_the_item_just_put_aside_is_not_the_next(project, note, ben):
    queue = make_queue(project, configs=[note], traces=[make_trace(project)])
    review = skip(reserve_next_item(queue, reviewer=ben))
    assert reserve_next_item(queue, reviewer=ben, besides=review.item) is None
    assert next_position(queue, ben) == 0


def test_a_skipped_item_is_free_for_others(queue, ben, mel):
    skip(reserve_next_item(queue, reviewer=ben))
    assert next_position(queue, mel) == 0


def test_undo_takes_back_a_completion_and_its_scores(queue, ben, mel, note):
    finish(queue, ben, **{note.pk: "hasty"})
    review = undo(queue, reviewer=ben)
    assert (position(review), review.state) == (0, ReviewState.RESERVED)
    assert review.draft["answers"] == {note.pk: "hasty"}
    assert not Score.objects.exists()
    assert queue.progress()["completed"] == 0
    assert next_position(queue, mel) == 1
    assert undo(queue, reviewer=ben) is None


def test_undo_goes_back_step_by_step(queue, ben, note):
    review = finish(queue, ben, **{note.pk: "first"})
    complete(review, answers={note.pk: "second"})
    skip(reserve_next_item(queue, reviewer=ben))
    defer(reserve_next_item(queue, reviewer=ben))
    assert [position(undo(queue, reviewer=ben)) for _ in range(2)] == [2, 1]
    review = undo(queue, reviewer=ben)
    assert (position(review), review.state) == (0, ReviewState.COMPLETED)
    assert Score.objects.get().string_value == "first"
    assert review.draft["answers"] == {note.pk: "first"}
    assert undo(queue, reviewer=ben).state == ReviewState.RESERVED
    assert not Score.objects.exists()


def test_undo_is_ones_own(queue, ben, mel):
    finish(queue, ben)
    assert undo(queue, reviewer=mel) is None


def test_undoing_a_skip_after_a_colleague_took_the_item_leaves_it_to_them(queue, ben, mel):
    skip(reserve_next_item(queue, reviewer=ben))
    reserve_next_item(queue, reviewer=mel)
    review = undo(queue, reviewer=ben)
    assert review.reserved_until <= now()
    assert next_position(queue, ben) == 1


def test_opening_an_item_reserves_it_unless_it_is_taken(queue, ben, mel):
    item = queue.items.get(position=2)
    assert open_item(item, reviewer=ben).state == ReviewState.RESERVED
    assert open_item(item, reviewer=mel) is None


def test_looking_back_at_a_skipped_item_changes_nothing_until_something_is_typed(queue, ben, note):
    review = skip(reserve_next_item(queue, reviewer=ben))
    assert open_item(review.item, reviewer=ben).state == ReviewState.SKIPPED
    review = save_draft(review, answers={note.pk: "after all"}, version=0)
    assert review.state == ReviewState.RESERVED


def test_adding_keeps_the_order_and_reports_duplicates(queue, project):
    traces = [make_trace(project).id for _ in range(3)]
    known = queue.items.get(position=0).object_id
    added, known_already = add_items(queue, object_ids=[traces[0], known, traces[1], traces[2], traces[1]])
    assert (len(added), known_already) == (3, 1)
    assert list(queue.items.in_order().values_list("object_id", flat=True))[4:] == traces
    with pytest.raises(ValidationError):
        add_items(queue, object_ids=[str(n) for n in range(5001)])


def object_ids(queue):
    return list(queue.items.in_order().values_list("object_id", flat=True))


def hand_out(queue, reviewer):
    """Review everything and return the objects in the order in which they came."""
    handed = []
    while review := reserve_next_item(queue, reviewer=reviewer):
        handed.append(review.item.object_id)
        complete(review, answers={})
    return handed


@pytest.mark.parametrize(("order", "expected"), [("oldest", "abcdef"), ("newest", "fedcba")])
def test_items_are_handed_out_by_arrival(project, ben, note, order, expected):
    queue = make_queue(project, configs=[note], order=order)
    for batch in ("ab", "c", "def"):
        add_items(queue, object_ids=batch)
    assert "".join(hand_out(queue, ben)) == expected


def test_a_random_order_is_the_same_for_its_seed_and_another_for_another(project, ben, mel, note):
    names = [f"t{n:02}" for n in range(20)]
    queue = make_queue(project, configs=[note], order="random", order_seed=7)
    add_items(queue, object_ids=names[:10])
    add_items(queue, object_ids=names[10:])
    shuffled = object_ids(queue)
    assert shuffled != names and sorted(shuffled) == names
    update_queue(queue, by=mel, order_seed=8)
    reshuffled = object_ids(queue)
    assert reshuffled not in (shuffled, names)
    update_queue(queue, by=mel, order_seed=7)
    assert object_ids(queue) == shuffled
    assert hand_out(queue, ben) == shuffled


def test_changing_the_order_moves_the_items_that_are_there(project, ben, mel, note):
    queue = make_queue(project, configs=[note])
    add_items(queue, object_ids="ab")
    add_items(queue, object_ids="cd")
    first = reserve_next_item(queue, reviewer=ben)
    complete(first, answers={})
    update_queue(queue, by=mel, order="newest")
    assert "".join(object_ids(queue)) == "dcba"
    add_items(queue, object_ids="ef")
    assert reserve_next_item(queue, reviewer=ben).item.object_id == "f"
    update_queue(queue, by=mel, order="random")
    update_queue(queue, by=mel, order="oldest")
    assert "".join(object_ids(queue)) == "abcdef"
    changes = AuditEntry.objects.filter(object_id=queue.pk, action="update").order_by("pk")
    assert [entry.after["order"] for entry in changes] == ["newest", "random", "oldest"]
    # What ben had begun stays his; then it is the first without a review.
    assert "".join(hand_out(queue, ben)) == "fbcde"


def test_an_order_that_changed_meanwhile_counts_for_items_added(project, mel, note):
    queue = make_queue(project, configs=[note])
    add_items(queue, object_ids="a")
    update_queue(AnnotationQueue.objects.get(pk=queue.pk), by=mel, order="newest")
    add_items(queue, object_ids="b")
    assert "".join(object_ids(queue)) == "ba"


def test_a_sample_is_the_same_for_its_seed_and_objects(project, note):
    names = [f"t{n:03}" for n in range(200)]

    def sampled(given, **sample):
        queue = make_queue(project, configs=[note], name=f"{given[0]} {len(given)} {sample}")
        add_items(queue, object_ids=given, sample=sample)
        return queue

    queue = sampled(names, size=20, seed=3)
    chosen = object_ids(queue)
    assert len(chosen) == 20 and chosen != names[:20] and chosen == sorted(chosen)
    assert set(queue.items.values_list("inclusion_probability", flat=True)) == {0.1}
    assert object_ids(sampled([*names[::-1], *names], size=20, seed=3)) == chosen[::-1]
    assert set(object_ids(sampled(names, size=20, seed=4))) != set(chosen)


def test_a_sample_counts_what_is_there_already(project, note):
    queue = make_queue(project, configs=[note])
    add_items(queue, object_ids="abc")
    added, there_already = add_items(queue, object_ids="abcdef", sample={"size": 100})
    assert (len(added), there_already) == (3, 3)
    probabilities = dict(queue.items.values_list("object_id", "inclusion_probability"))
    assert probabilities == dict.fromkeys("abc") | dict.fromkeys("def", 1.0)
    assert add_items(queue, object_ids=[], sample={"size": 1}) == ([], 0)


def test_a_sample_may_be_of_more_than_can_be_added_at_once(queue):
    added, _ = add_items(queue, object_ids=[f"n{n}" for n in range(10_000)], sample={"size": 5})
    assert set(queue.items.filter(pk__in=added).values_list("inclusion_probability", flat=True)) == {0.0005}


def test_removing_items_keeps_the_scores(queue, ben, note):
    review = finish(queue, ben, **{note.pk: "stays"})
    assert remove_items(queue, item_ids=[review.item_id]) == 1
    assert Score.objects.exists()
    assert not Review.objects.exists()


def test_a_program_may_close_and_reopen_an_item(queue, ben, note):
    finish(queue, ben, **{note.pk: "stays"})
    set_item_status(queue.items.get(position=1), completed=True)
    assert next_position(queue, ben) == 2
    set_item_status(queue.items.get(position=0), completed=False)
    assert queue.progress()["completed"] == 1
    assert next_position(queue, ben) == 0


def test_a_queue_needs_a_name_of_its_own_and_a_config(project, ada, note):
    queue = create_queue(project=project, by=ada, name="First look", fields=[(note, True)])
    assert [(f.config, f.required) for f in queue.questions] == [(note, True)]
    with pytest.raises(ValidationError):
        create_queue(project=project, by=ada, name="First look", fields=[(note, True)])
    with pytest.raises(ValidationError):
        create_queue(project=project, by=ada, name="Empty")

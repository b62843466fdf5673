"""Many reviewers at once, with real threads and real connections."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from annotation.actions import complete, reserve_next_item, save_draft, skip, undo
from annotation.models import Review, ReviewState
from evalapp.projects.models import Role
from tests.factories import make_member, make_queue, make_trace

pytestmark = pytest.mark.django_db(transaction=True)


def run(work, people):
    """Run `work(person)` for all at once and return the results; an exception in one fails the test."""
    start = threading.Barrier(len(people))

    def turn(person):
        try:
            start.wait(timeout=30)
            return work(person)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(people)) as pool:
        return list(pool.map(turn, people))


def review_everything(queue, each=lambda review: None):
    def work(person):
        done = []
        while review := reserve_next_item(queue, reviewer=person):
            each(review)
            complete(review, answers={queue.note.config_id: f"{person} read {review.item_id}"})
            done.append(review.item_id)
        return done

    return work


@pytest.mark.parametrize(("people", "items", "places"), [(2, 40, 1), (50, 60, 1), (12, 20, 3)])
def test_every_item_is_completed_by_exactly_as_many_people_as_asked(project, people, items, places):
    names = [make_member(project, f"r{n}", Role.REVIEWER) for n in range(people)]
    traces = [make_trace(project) for _ in range(items)]
    queue = make_queue(project, traces=traces, reviewers_per_item=places)
    done = [item for one in run(review_everything(queue), names) for item in one]
    assert len(done) == items * places
    assert all(done.count(item) == places for item in set(done))
    assert queue.progress() == {"total": items, "completed": items}
    assert project.scores.count() == items * places


def test_nobody_is_handed_an_item_that_is_taken(project):
    names = [make_member(project, f"r{n}", Role.REVIEWER) for n in range(50)]
    queue = make_queue(project, traces=[make_trace(project) for _ in range(50)])
    reviews = run(lambda person: reserve_next_item(queue, reviewer=person), names)
    assert len({review.item_id for review in reviews}) == 50


def test_two_tabs_of_one_person_get_the_same_item(project, ben):
    queue = make_queue(project, traces=[make_trace(project) for _ in range(5)], reviewers_per_item=2)
    reviews = run(lambda person: reserve_next_item(queue, reviewer=person), [ben] * 6)
    assert len({review.item_id for review in reviews}) == 1


def test_a_double_submit_completes_once(project, ben):
    queue = make_queue(project, traces=[make_trace(project)])
    review = reserve_next_item(queue, reviewer=ben)
    run(lambda person: complete(review, answers={queue.note.config_id: "once"}, version=0), [ben] * 8)
    assert review.actions.count() == project.scores.count() == 1


def test_drafts_completions_skips_and_undos_at_once_end_in_a_sound_queue(project):
    names = [make_member(project, f"r{n}", Role.REVIEWER) for n in range(8)]
    queue = make_queue(project, traces=[make_trace(project) for _ in range(15)], reviewers_per_item=2)

    def work(person):
        dice = random.Random(person.pk)
        for _ in range(25):
            review = reserve_next_item(queue, reviewer=person)
            if review is None:
                return
            review = save_draft(review, answers={queue.note.config_id: "…"}, version=review.draft_version)
            dice.choice([skip, undo_last, finish, finish])(review)

    def undo_last(review):
        undo(queue, reviewer=review.reviewer)

    def finish(review):
        complete(review, answers={queue.note.config_id: "done"}, version=review.draft_version)

    run(work, names)
    for item in queue.items.all():
        completed = item.reviews.filter(state=ReviewState.COMPLETED).count()
        assert completed <= 2
        assert (item.completed_at is not None) == (completed == 2)
        assert item.reviews.holding().count() <= 2
    assert project.scores.count() == Review.objects.filter(state=ReviewState.COMPLETED).count()

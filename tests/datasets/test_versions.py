"""Any instant of a dataset reads back as a replayed log says, whatever was done to it."""

import threading
import time
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils.timezone import now
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evalapp.core.errors import Conflict
from evalapp.datasets.actions import await_writers, delete_item, upsert_dataset, upsert_items
from evalapp.datasets.models import DatasetItem

ITEM = st.sampled_from(["a", "b", "c"])
CHANGES = st.one_of(
    st.tuples(st.just("write"), ITEM, st.one_of(st.none(), st.integers(0, 9))),
    st.tuples(st.just("archive"), ITEM, st.none()),
    st.tuples(st.just("restore"), ITEM, st.none()),
    st.tuples(st.just("delete"), ITEM, st.none()),
    st.tuples(st.just("many"), st.lists(ITEM, min_size=1, unique=True), st.integers(0, 9)),
)
_STATUS = {"archive": "ARCHIVED", "restore": "ACTIVE", "write": None}


def _apply(dataset, change, state):
    """Do the change; return the state the naive log expects after it, and the instant or None for no change."""
    verb, who, value = change
    state = dict(state)
    if verb == "delete":
        item = dataset.items.current().filter(item_id=who).first()
        if item is None:
            return state, None
        delete_item(item=item)
        dataset.refresh_from_db()
        state.pop(who)
        return state, dataset.changed_at
    ids = who if verb == "many" else [who]
    items = [{"item_id": item_id, "input": value, "status": _STATUS.get(verb)} for item_id in ids]
    rows = upsert_items(dataset=dataset, items=items)
    for item_id in ids:
        old_value, old_status = state.get(item_id, (None, "ACTIVE"))
        state[item_id] = (old_value if value is None else value, _STATUS.get(verb) or old_status)
    return state, rows[0].valid_from


def _read(items):
    return {row.item_id: (None if row.input is None else int(row.input), row.status) for row in items}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(CHANGES, max_size=12))
def test_every_instant_equals_the_replayed_log(project, changes):
    project.datasets.all().delete()
    dataset = upsert_dataset(project=project, name="qa")
    log, state = [(now() - timedelta(days=1), {})], {}
    for change in changes:
        state, instant = _apply(dataset, change, state)
        if instant is not None:
            assert instant > log[-1][0]
            log.append((instant, state))
    assert _read(dataset.items.current()) == state
    for (instant, expected), (until, _) in zip(log, [*log[1:], (now(), None)], strict=True):
        assert _read(dataset.items.at(instant)) == expected
        assert _read(dataset.items.at(until - timedelta(microseconds=1))) == expected


def test_a_clock_read_before_a_write_never_shows_it_and_one_read_after_always_does(project):
    dataset = upsert_dataset(project=project, name="qa")
    for number in range(30):
        before = now()
        upsert_items(dataset=dataset, items=[{"item_id": f"i{number}", "input": number}])
        after = now()
        assert dataset.items.at(before).count() == number
        assert dataset.items.at(after).count() == number + 1


def _in_threads(work, number):
    failures = []

    def run(index):
        try:
            work(index)
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(index,)) for index in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures


@pytest.mark.django_db(transaction=True)
def test_concurrent_writers_make_one_history(project):
    dataset = upsert_dataset(project=project, name="qa")

    def write(index):
        mine = project.datasets.get()
        for number in range(5):
            upsert_items(dataset=mine, items=[{"item_id": "shared", "input": [index, number]}])

    assert _in_threads(write, 4) == []
    rows = list(dataset.items.order_by("valid_from"))
    assert len(rows) == 20
    assert [row.valid_to for row in rows[:-1]] == [row.valid_from for row in rows[1:]]
    assert rows[-1].valid_to is None


@pytest.mark.django_db(transaction=True)
def test_one_of_two_datasets_gets_a_contested_id(project):
    for name in "abcd":
        upsert_dataset(project=project, name=name)
    start = threading.Barrier(4)

    def write(index):
        mine = project.datasets.get(name="abcd"[index])
        start.wait()
        upsert_items(dataset=mine, items=[{"item_id": "contested", "input": index}])

    failures = _in_threads(write, 4)
    assert [type(failure) for failure in failures] == [Conflict] * 3
    assert DatasetItem.objects.current().count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_version_waits_for_the_writes_in_flight_that_belong_to_it(project):
    dataset = upsert_dataset(project=project, name="qa")
    written, asked = threading.Event(), threading.Event()

    def write(index):
        with transaction.atomic():
            upsert_items(dataset=project.datasets.get(), items=[{"item_id": "late", "input": 1}])
            written.set()
            asked.wait(timeout=10)
            time.sleep(0.2)  # the reader is about to read while this is uncommitted

    def read(index):
        written.wait(timeout=10)
        version = now()
        asked.set()
        await_writers(dataset=dataset, version=version)
        assert [row.item_id for row in dataset.items.at(version)] == ["late"]

    assert _in_threads(lambda index: (write, read)[index](index), 2) == []

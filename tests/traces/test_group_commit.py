"""Writes that arrive together are made together, and each has its own fate."""

import threading
from itertools import chain

import pytest

from evalapp.traces.group_commit import GroupCommit, Unavailable


class Writer:
    """Stands in for the database: keeps every group, and can be held up."""

    def __init__(self):
        self.groups = []
        self.begun = threading.Semaphore(0)
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, batches):
        self.begun.release()
        assert self.gate.wait(30)
        if "unreachable" in batches:
            raise Unavailable("out of reach")
        if "bad" in batches:
            raise ValueError("a bad batch")
        self.groups.append(list(batches))


def submit_all(commits, batches, size=1):
    """Submit each batch from a thread of its own; return the threads and {batch: what it raised, or None}."""
    outcome = {}

    def submit(batch):
        try:
            commits.submit(batch, size)
            outcome[batch] = None
        except Exception as error:
            outcome[batch] = error

    threads = [threading.Thread(target=submit, args=[batch]) for batch in batches]
    for thread in threads:
        thread.start()
    return threads, outcome


def wait_for_waiting(commits, count):
    """Wait until that many batches are queued behind the leader."""
    while len(commits._waiting) < count:
        threading.Event().wait(0.001)


def held_up(commits, writer):
    """Let a first batch occupy the only leader; return its thread."""
    writer.gate.clear()
    (first,), _ = submit_all(commits, ["first"])
    assert writer.begun.acquire(timeout=30)
    return first


def join(threads):
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()


def test_alone_nobody_waits():
    writer = Writer()
    GroupCommit(writer).submit("only", 1)
    assert writer.groups == [["only"]]


def test_what_arrives_during_a_write_is_written_together():
    writer = Writer()
    commits = GroupCommit(writer, leaders=1)
    first = held_up(commits, writer)
    threads, outcome = submit_all(commits, ["a", "b", "c"])
    wait_for_waiting(commits, 3)
    assert outcome == {}
    writer.gate.set()
    join([first, *threads])
    assert [sorted(group) for group in writer.groups] == [["first"], ["a", "b", "c"]]
    assert outcome == {"a": None, "b": None, "c": None}


def test_groups_are_bounded():
    writer = Writer()
    commits = GroupCommit(writer, most=20, leaders=1)
    first = held_up(commits, writer)
    threads, _ = submit_all(commits, ["a", "b", "c", "d", "e"], size=10)
    wait_for_waiting(commits, 5)
    writer.gate.set()
    join([first, *threads])
    assert [len(group) for group in writer.groups] == [1, 2, 2, 1]


def test_one_bad_batch_does_not_fail_the_others():
    writer = Writer()
    commits = GroupCommit(writer, leaders=1)
    first = held_up(commits, writer)
    threads, outcome = submit_all(commits, ["a", "bad", "c"])
    wait_for_waiting(commits, 3)
    writer.gate.set()
    join([first, *threads])
    assert outcome["a"] is None and outcome["c"] is None
    assert str(outcome["bad"]) == "a bad batch"
    assert sorted(chain(*writer.groups)) == ["a", "c", "first"]


def test_when_nothing_can_be_written_all_are_told_at_once():
    writer = Writer()
    commits = GroupCommit(writer, leaders=1)
    first = held_up(commits, writer)
    threads, outcome = submit_all(commits, ["a", "unreachable", "c"])
    wait_for_waiting(commits, 3)
    writer.gate.set()
    join([first, *threads])
    assert {type(error) for error in outcome.values()} == {Unavailable}
    commits.submit("later", 1)
    assert writer.groups == [["first"], ["later"]]


def test_a_leader_that_dies_acknowledges_nothing_and_leads_no_more():
    class Killed(BaseException):
        pass

    def die(batches):
        raise Killed

    commits = GroupCommit(die, leaders=1)
    with pytest.raises(Killed):
        commits.submit("a", 1)
    with pytest.raises(Killed):
        commits.submit("b", 1)


@pytest.mark.parametrize("leaders", [1, 2, 3])
def test_many_threads_are_all_served_once(leaders):
    writer = Writer()
    commits = GroupCommit(writer, most=7, leaders=leaders)
    threads, outcome = submit_all(commits, [f"{number}" for number in range(60)], size=2)
    join(threads)
    assert set(outcome.values()) == {None} and len(outcome) == 60
    assert sorted(chain(*writer.groups), key=int) == [f"{number}" for number in range(60)]

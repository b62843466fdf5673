"""Writes of many threads, made durable together: the cost of a commit is shared, none is acknowledged early.

The first thread to come leads: it takes all that waits, writes it in one transaction, and then wakes the others.
What arrives meanwhile waits for the next leader, so under load groups form by themselves and alone nobody waits.
"""

import threading
from collections import deque


class Unavailable(Exception):
    """Nothing can be written at present, whatever it is."""


class _Entry:
    """One thread's batch. The flags are set before `wake`, and read after it."""

    __slots__ = ("batch", "error", "finished", "leads", "size", "wake")

    def __init__(self, batch, size):
        self.batch = batch
        self.size = size
        self.wake = threading.Event()
        self.leads = self.finished = False
        self.error = None


class GroupCommit:
    """Calls `write([batch, …])` with what several threads brought."""

    def __init__(self, write, *, most=1000, leaders=2):
        """At most `most` spans a group (one batch may be larger), at most `leaders` groups at once."""
        self._write = write
        self._most = most
        self._free_leaders = leaders
        self._lock = threading.Lock()
        self._waiting = deque()

    def submit(self, batch, size):
        """Return when the batch is committed. Raises what writing this batch raised."""
        entry = _Entry(batch, size)
        with self._lock:
            self._waiting.append(entry)
            if self._free_leaders:
                self._free_leaders -= 1
                entry.leads = True
        while True:
            if entry.leads:
                entry.leads = False
                self._lead()
            if entry.finished:
                break
            entry.wake.wait()
            entry.wake.clear()
        if entry.error is not None:
            raise entry.error

    def _lead(self):
        """Write one group. It need not hold the leader's own batch, which then waits on."""
        group = []
        try:
            group = self._take()
            if group:
                self._commit(group)
        finally:
            for entry in group:
                entry.finished = True
                entry.wake.set()
            self._hand_over()

    def _take(self):
        group, size = [], 0
        with self._lock:
            while self._waiting and (not group or size + self._waiting[0].size <= self._most):
                entry = self._waiting.popleft()
                group.append(entry)
                size += entry.size
        return group

    def _commit(self, group):
        # Until told otherwise: a thread that dies in here must not leave the others believing in a commit.
        for entry in group:
            entry.error = Unavailable("The write was interrupted.")
        try:
            self._write([entry.batch for entry in group])
        except Unavailable as error:
            for entry in group:
                entry.error = error
        except Exception as error:
            if len(group) == 1:
                group[0].error = error
            else:  # one of them is bad: the others must not suffer for it
                for entry in group:
                    self._commit([entry])
        else:
            for entry in group:
                entry.error = None

    def _hand_over(self):
        with self._lock:
            heir = next((entry for entry in self._waiting if not entry.leads), None)
            if heir is None:
                self._free_leaders += 1
            else:
                heir.leads = True
                heir.wake.set()

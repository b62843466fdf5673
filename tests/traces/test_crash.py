"""What was answered 2xx is there afterwards, once, whatever is killed meanwhile."""

import contextlib
import os
import signal
import threading
import time
from base64 import b64encode

import httpx
import psycopg
import pytest

from evalapp.runtime import paths
from tests.runtime.running import running_up
from tests.traces.otlp import export, json_span, protobuf

pytestmark = pytest.mark.process

_SENDERS, _TRACES, _SPANS = 4, 5, 8
_PUBLIC_KEY, _SECRET_KEY = "pk-lf-crash", "sk-lf-crash"


class Sender(threading.Thread):
    """Posts one batch after the other, each again until it is answered 2xx, as exporters do."""

    def __init__(self, number, url, over):
        super().__init__(daemon=True)
        self.number, self.url, self.over = number, url, over
        self.acknowledged = []
        self.refused = []

    def run(self):
        credentials = b64encode(f"{_PUBLIC_KEY}:{_SECRET_KEY}".encode()).decode()
        headers = {"Authorization": f"Basic {credentials}", "Content-Type": "application/x-protobuf"}
        batch = 0
        while not self.over.is_set():
            batch += 1
            spans = list(self.spans(batch))
            body = protobuf(export(*spans))
            while not self.over.is_set():
                try:
                    response = httpx.post(f"{self.url}/v1/traces", content=body, headers=headers, timeout=20)
                except httpx.HTTPError:
                    time.sleep(0.05)
                    continue
                if response.status_code == 200:
                    self.acknowledged += [(span["traceId"], span["spanId"]) for span in spans]
                    break
                if response.status_code < 500:
                    self.refused.append(response.text)
                    return
                time.sleep(0.05)

    def spans(self, batch):
        for trace in range(_TRACES):
            trace_id = f"{self.number + 1:08x}{batch:016x}{trace:08x}"
            for span in range(_SPANS):
                yield json_span(
                    {"input": "x" * 500, "session.id": f"session-{trace}"},
                    trace=trace_id,
                    id=f"{span + 1:016x}",
                    parent=f"{1:016x}" if span else None,
                )


def test_nothing_acknowledged_is_lost_when_everything_is_killed():
    environment = {
        "EVALAPP_INIT_PROJECT_ID": "crash",
        "EVALAPP_INIT_PUBLIC_KEY": _PUBLIC_KEY,
        "EVALAPP_INIT_SECRET_KEY": _SECRET_KEY,
    }
    with running_up(None, "--no-demo", **environment) as product:
        over = threading.Event()
        senders = [Sender(number, product.base_url, over) for number in range(_SENDERS)]
        for sender in senders:
            sender.start()
        try:
            for name in ("web", "worker", "postgres", "web"):
                # Each is killed in mid-stream, and has to serve again before the next one is.
                more_is_stored(product, senders)
                kill_with_children(product.part(name))
                product.wait_until(product.ready, what=f"the product after the end of {name}")
            more_is_stored(product, senders)
        finally:
            over.set()
            for sender in senders:
                sender.join(60)

        assert [sender.refused for sender in senders] == [[]] * _SENDERS
        acknowledged = [span for sender in senders for span in sender.acknowledged]
        assert len(acknowledged) == len(set(acknowledged))
        with psycopg.connect(paths.embedded_database_url(product.home)) as database:
            stored = database.execute("SELECT trace_id, id FROM traces_observation").fetchall()
            wrong = database.execute(
                "SELECT id FROM traces_trace trace WHERE observation_count <> %s OR root_observation_id IS NULL"
                " OR observation_count <> (SELECT count(*) FROM traces_observation WHERE trace_id = trace.id)",
                [_SPANS],
            ).fetchall()
        assert len(stored) == len(set(stored))
        assert set(acknowledged) <= set(stored)
        assert wrong == []


def more_is_stored(product, senders):
    """Wait until every sender got another batch through."""
    before = [len(sender.acknowledged) for sender in senders]
    product.wait_until(
        lambda: all(
            len(sender.acknowledged) > count or sender.refused
            for sender, count in zip(senders, before, strict=True)
        ),
        what="another acknowledged batch of every sender",
    )


def kill_with_children(process):
    """kill -9 the process and all below it, as the kernel does when memory is short."""
    for victim in [process, *process.children(recursive=True)]:
        with contextlib.suppress(ProcessLookupError):  # PostgreSQL's are gone soon after their postmaster
            os.kill(victim.pid, signal.SIGKILL)

"""Exports of an unusual size or number: what was acknowledged is there, and the server stays within its memory."""

import contextlib
import socket
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import psutil
import pytest
from django.test import Client

from evalapp.traces.models import Observation
from tests.traces.otlp import export, json_span, protobuf
from tests.traces.web_server import web_server

pytestmark = pytest.mark.process

_MB = 1024 * 1024
# Of one worker with its 16 threads, whatever is sent below. It starts at 130 MB and was seen to reach 150.
MOST_MEMORY = 300 * _MB
_EXPORTERS, _BATCHES = 200, 2
# No connection is used twice, as if each exporter were a process of its own.
_CONNECTIONS = httpx.Limits(max_connections=_EXPORTERS, max_keepalive_connections=0)


@pytest.fixture
def server(transactional_db, api_key):
    with web_server() as address:
        yield address


@pytest.fixture
def post(server, api_key):
    """Post an export as an exporter does: protobuf, its own connection, tried again after 503."""
    headers = {"Authorization": api_key.basic, "Content-Type": "application/x-protobuf"}
    with httpx.Client(base_url=server, headers=headers, timeout=60, limits=_CONNECTIONS) as client:
        yield lambda body, **more: client.post("/v1/traces", content=body, **more)


def _spans(count, *, trace, size=0, first=0):
    """A root and its children, each with `size` characters of input."""
    root = f"{1:016x}"
    for number in range(first, first + count):
        yield json_span(
            {"input": "x" * size} if size else {},
            trace=trace,
            id=f"{number + 1:016x}",
            parent=root if number else None,
            start=number / 1000,
            end=number / 1000 + 1,
        )


def _memory(server):
    """The most memory that one process of the server took so far, in bytes."""
    port = urlsplit(server).port
    found = []
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or []
        if "web" in command and str(port) in command:
            found += [process, *process.children(recursive=True)]
    assert found
    # The peak is what the kernel counted; asking for the present size from time to time would miss it.
    return max(_peak(process) for process in found)


def _peak(process):
    with contextlib.suppress(OSError), open(f"/proc/{process.pid}/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))
    return 0


def _page(server, ada, project, trace, query=""):
    """Read a page from the server itself: its memory counts, too."""
    session = Client()
    session.force_login(ada)
    cookies = {name: morsel.value for name, morsel in session.cookies.items()}
    response = httpx.get(f"{server}/project/{project.pk}/traces/{trace}{query}", cookies=cookies, timeout=60)
    assert response.status_code == 200
    return response.content


def test_a_trace_of_30000_observations(server, post, project, ada):
    trace = "3" * 32
    for first in range(0, 30_000, 5_000):
        assert post(protobuf(export(*_spans(5_000, trace=trace, first=first)))).status_code == 200
    assert project.observations.filter(trace_id=trace).count() == 30_000
    assert project.traces.get(id=trace).observation_count == 30_000
    for query in ("", "?view=tree", "?view=tree&from=29800"):
        assert len(_page(server, ada, project, trace, query)) < 2 * _MB
    assert _memory(server) < MOST_MEMORY


def test_an_input_of_5_mb_and_a_batch_of_3_mb(server, post, project, ada):
    large, batch = "5" * 32, "b" * 32
    assert post(protobuf(export(*_spans(1, trace=large, size=5_000_000)))).status_code == 200
    body = protobuf(export(*_spans(300, trace=batch, size=10_000)))
    assert len(body) > 3_000_000
    assert post(body).status_code == 200
    assert len(project.observations.get(trace_id=large).input) == 5_000_000
    assert project.observations.filter(trace_id=batch).count() == 300
    assert len(_page(server, ada, project, large)) < 2 * _MB
    assert _memory(server) < MOST_MEMORY


def test_200_exporters_at_once(server, post, project):
    def exporter(number):
        """Send batches one after the other; return the traces that were acknowledged."""
        acknowledged = []
        for batch in range(_BATCHES):
            trace = f"{number + 1:016x}{batch + 1:016x}"
            response = post(protobuf(export(*_spans(10, trace=trace, size=2_000))))
            while response.status_code == 503:
                response = post(protobuf(export(*_spans(10, trace=trace, size=2_000))))
            assert response.status_code == 200, response.text
            acknowledged.append(trace)
        return acknowledged

    with ThreadPoolExecutor(_EXPORTERS) as threads:
        acknowledged = [trace for traces in threads.map(exporter, range(_EXPORTERS)) for trace in traces]
    assert len(acknowledged) == _EXPORTERS * _BATCHES
    counts = dict(project.traces.values_list("id", "observation_count"))
    assert counts == dict.fromkeys(acknowledged, 10)
    assert project.observations.count() == _EXPORTERS * _BATCHES * 10
    assert _memory(server) < MOST_MEMORY


@pytest.mark.parametrize("chunked", [False, True], ids=["content-length", "chunked"])
def test_an_exporter_that_dies_in_the_middle_leaves_nothing(chunked, server, post, api_key, project):
    """The first half of a protobuf export can be a valid smaller one: only its length tells.

    A chunked body has none, and one that ends exactly between two resources is taken for whole (see
    ChunkedBodyMiddleware); its exporter sends it again. Here it ends within a span.
    """
    half = protobuf(export(*_spans(50, trace="d" * 32, size=1_000)))
    body = half + protobuf(export(*_spans(50, trace="d" * 32, size=1_000, first=50)))
    half = half[:-10] if chunked else half
    length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(body)}"
    framed = f"{len(half):x}\r\n".encode() + half + b"\r\n" if chunked else half
    where = urlsplit(server)
    for _ in range(40):  # more than the server has threads: none of them may stay behind
        with socket.create_connection((where.hostname, where.port)) as connection:
            connection.sendall(
                f"POST /v1/traces HTTP/1.1\r\nHost: {where.netloc}\r\nAuthorization: {api_key.basic}\r\n"
                f"Content-Type: application/x-protobuf\r\n{length}\r\n\r\n".encode()
            )
            connection.sendall(framed)
    assert post(protobuf(export(*_spans(5, trace="a" * 32)))).status_code == 200
    assert list(Observation.objects.values_list("trace_id", flat=True).distinct()) == ["a" * 32]

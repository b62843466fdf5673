"""OTLP ingest over HTTP: durable and readable when the answer comes."""

import base64
import gzip
import itertools
import json
import random
import socket
import statistics
import threading
import time
from functools import lru_cache
from urllib.parse import urlsplit

import psycopg
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from evalapp.core.bench import Figure, percentile

_TEXT = (
    "The order of a customer was late because our warehouse could not find it, so the agent looked up the number, "
    "policy, refund and payment method, and then asked whether they would rather have a replacement or money. "
)
_WORDS = _TEXT.split()
_STEPS = (
    ("AGENT", "support agent", None),
    ("CHAIN", "plan", 0),
    ("RETRIEVER", "find policy", 1),
    ("LLM", "decide", 1),
    ("TOOL", "look up order", 0),
    ("TOOL", "check refund", 0),
    ("LLM", "draft", 0),
    ("LLM", "answer", 0),
)
_number = itertools.count(1)


def run(target, *, quick):
    """Return the figures; about a minute, or a quarter of that when quick."""
    scale = 1 if quick else 4
    random.seed(1)
    sender = _Sender(target)
    sender.send([sender.protobuf(_spans(500)) for _ in range(6)], senders=2)  # warm up

    big = [sender.protobuf(_spans(500)) for _ in range(15 * scale)]
    one = sender.send(big[: 5 * scale], senders=1)
    many = sender.send(big[5 * scale :], senders=4)
    ceiling = _copy_ceiling(target)
    zipped = sender.send([sender.zipped(_spans(500)) for _ in range(8 * scale)], senders=4)
    chunked = sender.send([sender.chunked_json(_spans(500)) for _ in range(6 * scale)], senders=4)
    small = sender.send([sender.protobuf(_spans(10)) for _ in range(500 * scale)], senders=50)
    resent = sender.send(big[: 5 * scale], senders=1)
    best = max(one.rate, many.rate)
    return [
        Figure("500-span protobuf, 1 sender", one.rate, "spans/s", note=one.note),
        Figure("500-span protobuf, 4 senders", many.rate, "spans/s", 15 * 1130, note=many.note),
        Figure("server-side COPY of the same rows", ceiling, "spans/s", note="same table, same indexes"),
        Figure("share of COPY", 100 * best / ceiling, "%", 40),
        Figure("500-span gzip, 4 senders", zipped.rate, "spans/s", note=zipped.note),
        Figure("500-span JSON in chunks, 4 senders", chunked.rate, "spans/s", note=chunked.note),
        Figure("10-span protobuf, 50 senders", small.rate, "spans/s", best / 2, note=small.note),
        Figure("500-span protobuf sent again, 1 sender", resent.rate, "spans/s", note=resent.note),
    ]


def _text(size):
    start = random.randrange(len(_pool()) - size)
    return _pool()[start : start + size]


@lru_cache
def _pool():
    return " ".join(random.choice(_WORDS) for _ in range(50_000))


def _spans(count):
    """Return spans as (trace id, span id, parent id, name, start, end, attributes): about 2 KB each, 8 a trace."""
    spans = []
    while len(spans) < count:
        number = next(_number)
        trace_id = random.randbytes(16)
        ids = [random.randbytes(8) for _ in _STEPS]
        start = time.time_ns() - 60 * 10**9
        for step, (kind, name, parent) in enumerate(_STEPS):
            attributes = {
                "openinference.span.kind": kind,
                "input.value": _text(900),
                "output.value": _text(900),
                "session.id": f"session-{number // 4}",
                "user.id": f"user-{number % 97}",
                "metadata": json.dumps({"tenant": f"tenant-{number % 50}", "channel": "mail", "plan": "gold"}),
            }
            if kind == "LLM":
                attributes |= {
                    "llm.model_name": "gpt-4o-mini",
                    "llm.token_count.prompt": 250 + number % 300,
                    "llm.token_count.completion": 90 + number % 120,
                }
            parent_id = b"" if parent is None else ids[parent]
            began = start + step * 10**7
            ended = start + 10**9 if parent is None else began + 10**7
            spans.append((trace_id, ids[step], parent_id, name, began, ended, attributes))
    return spans[:count]


class _Outcome:
    def __init__(self, spans, seconds, latencies):
        self.rate = spans / seconds
        self.note = f"p50 {percentile(latencies, 50) * 1000:.0f} ms, p95 {percentile(latencies, 95) * 1000:.0f} ms"


class _Sender:
    """Makes whole HTTP requests beforehand and plays them over raw sockets, so that little of it is measured."""

    def __init__(self, target):
        parts = urlsplit(target.url)
        self._address = (parts.hostname, parts.port or 80)
        keys = base64.b64encode(f"{target.public_key}:{target.secret_key}".encode()).decode()
        self._head = (
            f"POST /api/public/otel/v1/traces HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Basic {keys}\r\n"
        )

    def protobuf(self, spans):
        body = _protobuf(spans)
        return len(spans), self._request("Content-Type: application/x-protobuf", body)

    def zipped(self, spans):
        body = gzip.compress(_protobuf(spans), 6)
        return len(spans), self._request("Content-Type: application/x-protobuf\r\nContent-Encoding: gzip", body)

    def chunked_json(self, spans):
        body = json.dumps(_json(spans)).encode()
        head = f"{self._head}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        pieces = (body[start : start + 65536] for start in range(0, len(body), 65536))
        chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
        return len(spans), head + chunks + b"0\r\n\r\n"

    def _request(self, headers, body):
        return f"{self._head}{headers}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body

    def send(self, requests, *, senders):
        """Send all from several threads, each over its own connection. Raises RuntimeError unless all succeed."""
        waiting = iter(requests)
        lock, latencies, failures = threading.Lock(), [], []
        ready = threading.Barrier(senders + 1)

        def play():
            with socket.create_connection(self._address, timeout=120) as connection:
                ready.wait()
                while not failures:
                    with lock:
                        _, request = next(waiting, (0, None))
                    if request is None:
                        return
                    began = time.perf_counter()
                    connection.sendall(request)
                    answer = _answer(connection)
                    latencies.append(time.perf_counter() - began)
                    if not answer.startswith(b"HTTP/1.1 200"):
                        failures.append(answer)

        threads = [threading.Thread(target=play, daemon=True) for _ in range(senders)]
        for thread in threads:
            thread.start()
        ready.wait()
        began = time.perf_counter()
        for thread in threads:
            thread.join()
        seconds = time.perf_counter() - began
        if failures:
            raise RuntimeError(failures[0].decode(errors="replace"))
        return _Outcome(sum(count for count, _ in requests), seconds, latencies)


def _answer(connection):
    """Read one answer: its head, and a body of known or chunked length."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536) or b"\r\n\r\n"
    head, _, body = data.partition(b"\r\n\r\n")
    lower = head.lower()
    if b"transfer-encoding: chunked" in lower:
        while not body.endswith(b"0\r\n\r\n"):
            body += connection.recv(65536)
    else:
        length = int(lower.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
        while len(body) < length:
            body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def _protobuf(spans):
    request = ExportTraceServiceRequest()
    resource_spans = request.resource_spans.add()
    service = resource_spans.resource.attributes.add(key="service.name")
    service.value.string_value = "bench"
    scope_spans = resource_spans.scope_spans.add()
    scope_spans.scope.name = "bench"
    for trace_id, span_id, parent_id, name, start, end, attributes in spans:
        span = scope_spans.spans.add(
            trace_id=trace_id,
            span_id=span_id,
            parent_span_id=parent_id,
            name=name,
            start_time_unix_nano=start,
            end_time_unix_nano=end,
        )
        for key, value in attributes.items():
            pair = span.attributes.add(key=key)
            if isinstance(value, int):
                pair.value.int_value = value
            else:
                pair.value.string_value = value
    return request.SerializeToString()


def _json(spans):
    rows = [
        {
            "traceId": trace_id.hex(),
            "spanId": span_id.hex(),
            "parentSpanId": parent_id.hex(),
            "name": name,
            "startTimeUnixNano": str(start),
            "endTimeUnixNano": str(end),
            "attributes": [
                {"key": key, "value": {"intValue" if isinstance(value, int) else "stringValue": value}}
                for key, value in attributes.items()
            ],
        }
        for trace_id, span_id, parent_id, name, start, end, attributes in spans
    ]
    return {"resourceSpans": [{"scopeSpans": [{"scope": {"name": "bench"}, "spans": rows}]}]}


def _copy_ceiling(target):
    """Return rows/s of PostgreSQL's own COPY from a file of the rows just stored: what no client can exceed."""
    with psycopg.connect(target.database_url, autocommit=True) as database:
        (folder,) = database.execute("SHOW data_directory").fetchone()
        file = f"{folder}/bench_rows"
        database.execute("DROP TABLE IF EXISTS bench_rows")
        database.execute("CREATE TABLE bench_rows (LIKE traces_observation INCLUDING ALL)")
        try:
            count = database.execute(
                f"COPY (SELECT * FROM traces_observation WHERE project_id = '{target.project_id}' LIMIT 20000)"
                f" TO '{file}' (FORMAT binary)"
            ).rowcount
            rates = []
            for _ in range(3):
                # Its own transaction: a COPY in that of the TRUNCATE would write no WAL.
                database.execute("TRUNCATE bench_rows")
                began = time.perf_counter()
                database.execute(f"COPY bench_rows FROM '{file}' (FORMAT binary)")
                rates.append(count / (time.perf_counter() - began))
            return statistics.median(rates)
        finally:
            database.execute("DROP TABLE bench_rows")
            database.execute(f"COPY (SELECT WHERE false) TO PROGRAM 'rm -f \"{file}\"'")

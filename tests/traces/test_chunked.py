"""Bodies that arrive in chunks or not entirely, through the real web server."""

import gzip
import json
import socket
from urllib.parse import urlsplit

import httpx
import pytest

from evalapp.traces.models import Observation, Trace
from tests.factories import make_api_key, make_project
from tests.traces.otlp import export, json_span, protobuf
from tests.traces.web_server import web_server

pytestmark = [pytest.mark.process, pytest.mark.django_db(transaction=True)]
PROTOBUF, JSON = "application/x-protobuf", "application/json"
EXPORT = export(*(json_span({"input": "x" * 5000}, id=f"{number:016x}") for number in range(1, 41)))


@pytest.fixture
def key():
    return make_api_key(make_project())


@pytest.fixture
def server(key):
    with web_server() as address:
        yield address


def in_pieces(body, size=10_000):
    yield from (body[start : start + size] for start in range(0, len(body), size))


def test_chunked_bodies_of_every_kind_arrive_whole(server, key):
    """What JavaScript's exporters send: no Content-Length."""
    as_json, as_protobuf = json.dumps(EXPORT).encode(), protobuf(EXPORT)
    for number, (body, content_type, encoding) in enumerate(
        [
            (as_json, JSON, "identity"),
            (gzip.compress(as_json), JSON, "gzip"),
            (as_protobuf, PROTOBUF, "identity"),
            (gzip.compress(as_protobuf), PROTOBUF, "gzip"),
        ]
    ):
        Trace.objects.all().delete()
        Observation.objects.all().delete()
        response = httpx.post(
            f"{server}/v1/traces",
            content=in_pieces(body),
            headers={"Authorization": key.basic, "Content-Type": content_type, "Content-Encoding": encoding},
        )
        assert "content-length" not in response.request.headers, number
        assert response.status_code == 200, response.text
        assert Observation.objects.count() == 40, (content_type, encoding)


def test_an_input_of_5_mb_arrives_whole_in_chunks(server, key):
    body = json.dumps(export(json_span({"langfuse.observation.input": "ü" + "x" * 5_000_000}))).encode()
    response = httpx.post(
        f"{server}/v1/traces",
        content=in_pieces(body, 64 * 1024),
        headers={"Authorization": key.basic, "Content-Type": JSON},
        timeout=60,
    )
    assert "content-length" not in response.request.headers
    assert (response.status_code, response.json()) == (200, {})
    assert Observation.objects.get().input == "ü" + "x" * 5_000_000


def test_a_client_that_dies_in_mid_body_leaves_nothing(server, key):
    bodies = [
        (json.dumps(EXPORT).encode(), JSON, ""),
        (protobuf(EXPORT), PROTOBUF, ""),
        (gzip.compress(protobuf(EXPORT)), PROTOBUF, "Content-Encoding: gzip\r\n"),
    ]
    for body, content_type, encoding in bodies:
        half = body[: len(body) // 2]
        for length, sent in (
            (f"Content-Length: {len(body)}", half),
            ("Transfer-Encoding: chunked", b"%x\r\n%b\r\n" % (len(half), half)),
            ("Transfer-Encoding: chunked", b"%x\r\n%b" % (len(body), half)),
        ):
            head = (
                f"POST /v1/traces HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {key.basic}\r\n"
                f"Content-Type: {content_type}\r\n{encoding}{length}\r\n\r\n"
            )
            with socket.create_connection(("127.0.0.1", urlsplit(server).port), timeout=20) as client:
                client.sendall(head.encode() + sent)
                # Only our half closes, so that the answer tells when the server is done with it.
                client.shutdown(socket.SHUT_WR)
                answer = client.recv(1000)
            assert b" 200 " not in answer
    assert not Trace.objects.exists()
    assert not Observation.objects.exists()


def test_an_endless_body_is_refused(server, key):
    def endless():
        for _ in range(66):
            yield b"\0" * (1 << 20)

    response = httpx.post(
        f"{server}/v1/traces",
        content=endless(),
        headers={"Authorization": key.basic, "Content-Type": PROTOBUF},
        timeout=60,
    )
    assert response.status_code == 413
    assert response.json()["error"] == "PayloadTooLargeError"

"""The OTLP endpoint over HTTP: what it answers, and what is stored afterwards."""

import gzip
import json

import pytest

from tests.traces.otlp import export, json_span, protobuf

ALIASES = ["/api/public/otel/v1/traces", "/v1/traces"]
PROTOBUF = "application/x-protobuf"
JSON = "application/json"


@pytest.fixture
def send(client, api_key):
    """Post an export (a dict as JSON, bytes as protobuf) with the project's key."""

    def post(body, content_type=None, path=ALIASES[0], **headers):
        content_type = content_type or (JSON if isinstance(body, dict) else PROTOBUF)
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        headers = {"Authorization": api_key.basic, **headers}
        return client.post(path, data, content_type=content_type, headers=headers)

    return post


def is_error(response, status, *words):
    body = response.json()
    assert response.status_code == status, body
    assert body.keys() == {"message", "error"}
    for word in words:
        assert word in body["message"]
    return True


@pytest.mark.parametrize("path", ALIASES)
@pytest.mark.parametrize("encoding", ["", "gzip", "identity"])
@pytest.mark.parametrize("content_type", [PROTOBUF, JSON, "application/json; charset=utf-8"])
def test_spans_are_stored_when_the_answer_is_sent(send, project, path, encoding, content_type):
    given = export(json_span({"input.value": "Where is it?", "output.value": "Here."}, name="answer"))
    body = protobuf(given) if content_type == PROTOBUF else json.dumps(given).encode()
    headers = {"Content-Encoding": encoding} if encoding else {}
    response = send(gzip.compress(body) if encoding == "gzip" else body, content_type, path, **headers)
    assert response.status_code == 200
    assert response.content == (b"" if content_type == PROTOBUF else b"{}")
    trace = project.traces.get()
    assert (trace.id, trace.name, trace.input_preview, trace.output_preview) == (
        "a" * 32,
        "answer",
        "Where is it?",
        "Here.",
    )
    observation = project.observations.get()
    assert (observation.id, observation.input, observation.output, observation.is_root) == (
        "b" * 16,
        "Where is it?",
        "Here.",
        True,
    )

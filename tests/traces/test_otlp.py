"""The OTLP endpoint over HTTP: what it answers, and what is stored afterwards."""

import base64
import gzip
import io
import json
import math

import pytest
from django.db import OperationalError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evalapp.core import payload
from evalapp.traces import store
from evalapp.traces.models import Observation, Trace
from tests.factories import make_api_key
from tests.traces.otlp import START, export, json_span, protobuf

ALIASES = ["/api/public/otel/v1/traces", "/v1/traces"]
PROTOBUF = "application/x-protobuf"
JSON = "application/json"


@pytest.fixture
def send(client, api_key):
    """Post an export (a dict as JSON, bytes as protobuf) with the project's key."""

    def post(body, content_type=None, path=ALIASES[0], **headers):
        content_type = content_type or (JSON if isinstance(body, dict) else PROTOBUF)
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        # Django's client leaves the content type out of a request without a body.
        headers = {"Authorization": api_key.basic, "Content-Type": content_type, **headers}
        return client.post(path, data, content_type=content_type, headers=headers)

    return post


def is_error(response, status, *words):
    body = response.json()
    assert response.status_code == status, body
    assert body.keys() == {"message", "error", "requestId"}
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


def nothing_is_stored():
    return not Trace.objects.exists() and not Observation.objects.exists()


@pytest.mark.parametrize("body", [b"", b"{}"])
def test_an_empty_export_is_fine(send, project, body):
    assert send(body, JSON if body else PROTOBUF).status_code == 200
    assert send({"resourceSpans": []}).json() == {}
    assert nothing_is_stored()


def test_only_post_is_taken(client, api_key):
    response = client.get(ALIASES[0], headers={"Authorization": api_key.basic})
    assert is_error(response, 405, "POST")
    assert response["Allow"] == "POST"


def basic(credentials):
    return "Basic " + base64.b64encode(credentials.encode()).decode()


@pytest.mark.parametrize(
    "header", ["", "Basic", "Basic ???", "Bearer x", basic("pk:wrong"), basic("pk"), basic("p\0k:x"), "Basic /w=="]
)
def test_a_bad_key_is_refused(client, project, header):
    body = json.dumps(export(json_span()))
    response = client.post(ALIASES[0], body, content_type=JSON, headers={"Authorization": header})
    assert is_error(response, 401)
    assert nothing_is_stored()


def test_a_wrong_secret_is_refused(send, api_key):
    response = send(export(json_span()), Authorization=basic(f"{api_key.public_key}:wrong"))
    assert is_error(response, 401)
    assert nothing_is_stored()


def test_spans_go_to_the_project_of_the_key(client, project, other_project):
    key = make_api_key(other_project)
    body = json.dumps(export(json_span()))
    assert (
        client.post(ALIASES[0], body, content_type=JSON, headers={"Authorization": key.basic}).status_code == 200
    )
    assert other_project.traces.count() == 1
    assert project.traces.count() == 0


@pytest.mark.parametrize("content_type", ["text/plain", "multipart/form-data; boundary=x", "application/xml"])
def test_other_content_types_are_refused(send, content_type):
    assert is_error(send(b"x", content_type), 415, content_type.split(";")[0])


def test_other_encodings_are_refused(send):
    assert is_error(send(export(json_span()), **{"Content-Encoding": "br"}), 415, "br", "gzip")


@pytest.mark.parametrize(("version", "status"), [("3", 200), ("4", 200), ("5", 400), ("NaN", 400), ("-1", 400)])
def test_newer_ingestion_versions_are_refused(send, version, status):
    response = send(export(json_span()), **{"X-Langfuse-Ingestion-Version": version})
    assert response.status_code == status
    assert status == 200 or is_error(response, 400, version)


GOOD = json_span(id="c" * 16)


@pytest.mark.parametrize(
    "bad",
    [
        {"traceId": ""},
        {"traceId": None},
        {"traceId": "0" * 32},
        {"traceId": "a" * 31},
        {"traceId": "g" * 32},
        {"traceId": 7},
        {"spanId": ""},
        {"spanId": "0" * 16},
        {"spanId": "a" * 32},
        {"parentSpanId": "abc"},
        {"parentSpanId": ["a" * 16]},
        {"attributes": {"key": "x"}},
        {"attributes": ["x"]},
        {"attributes": [{"key": "x", "value": "not an object"}]},
        {"events": "x"},
        {"status": []},
        {"startTimeUnixNano": "soon"},
    ],
)
def test_one_malformed_span_rejects_the_export_and_is_named(send, bad):
    response = send(export(GOOD, json_span(name="culprit") | bad))
    assert is_error(response, 400, "1", "culprit")
    assert nothing_is_stored()


@pytest.mark.parametrize("field", ["traceId", "spanId"])
@pytest.mark.parametrize("value", ["", "00" * 8, "ab" * 5])
def test_malformed_ids_in_protobuf_reject_the_export(send, field, value):
    value = value * 2 if field == "traceId" else value
    response = send(protobuf(export(GOOD, json_span(name="culprit") | {field: value})))
    assert is_error(response, 400, field, "Span 1", "culprit")
    assert nothing_is_stored()


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"null",
        b'"x"',
        b'{"resourceSpans": {}}',
        b'{"resourceSpans": [1]}',
        b'{"resourceSpans": [{"scopeSpans": 1}]}',
        b'{"resourceSpans": [{"resource": []}]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": {}}]}]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [[]]}]}]}',
        b'{"resourceSpans": [{"scopeSpans": [{"scope": 1}]}]}',
        b'{"a": ' + b"[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_malformed_json_is_refused(send, body):
    assert is_error(send(body, JSON), 400)


@pytest.mark.parametrize("body", [b"\x0a", b"\xff" * 100, b"{}", protobuf(export(GOOD))[:-3]])
def test_malformed_protobuf_is_refused(send, body):
    assert is_error(send(body), 400)
    assert nothing_is_stored()


@pytest.mark.parametrize("cut", [0, 5, 20])
def test_broken_gzip_is_refused(send, cut):
    whole = gzip.compress(protobuf(export(GOOD)))
    body = whole[:-cut] if cut else b"x" + whole
    assert is_error(send(body, **{"Content-Encoding": "gzip"}), 400, "gzip")
    assert nothing_is_stored()


def test_a_zip_bomb_is_refused_before_it_unpacks(send, settings):
    settings.OTLP_MAX_DECODED_BYTES = 1024 * 1024
    bomb = gzip.compress(bytes(64 * 1024 * 1024))
    assert is_error(send(bomb, **{"Content-Encoding": "gzip"}), 413, "1048576")
    assert is_error(send(gzip.compress(bytes(600_000)) * 2, **{"Content-Encoding": "gzip"}), 413)


def test_an_oversized_body_is_refused(send, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = settings.OTLP_MAX_BODY_BYTES = 1000
    assert is_error(send(protobuf(export(json_span({"input": "x" * 1000})))), 413, "1000")
    assert nothing_is_stored()


def test_a_body_shorter_than_announced_is_refused(client, api_key):
    body = protobuf(export(GOOD))
    response = client.post(
        ALIASES[0],
        body,
        content_type=PROTOBUF,
        headers={"Authorization": api_key.basic},
        CONTENT_LENGTH=len(body) + 1,
        **{"wsgi.input": io.BytesIO(body)},
    )
    assert is_error(response, 400)
    assert nothing_is_stored()


def test_nul_nan_and_half_emoji_are_kept_visible(send, project):
    text = json.dumps(export(json_span({"input": "MARK", "x": math.nan}, name="a\0b"))).replace("NaN", '"NaN"')
    text = text.replace("MARK", r"nul \u0000, half \ud83d, whole \ud83d\ude00, \\ud83d")
    assert send(text.encode(), JSON).status_code == 200
    row = project.observations.get()
    assert row.name == "a\ufffdb"
    assert row.input == "nul \ufffd, half \ufffd, whole \U0001f600, \\ud83d"
    assert payload.load(row.metadata)["attributes"] == {"x": "NaN"}


@pytest.mark.parametrize(("number", "name"), [(math.nan, "NaN"), (math.inf, "Infinity"), (-math.inf, "-Infinity")])
def test_numbers_that_json_lacks_are_named(send, project, number, name):
    assert send(protobuf(export(json_span({"x": number, "gen_ai.usage.cost": number})))).status_code == 200
    row = project.observations.get()
    assert payload.load(row.metadata)["attributes"]["x"] == name
    assert row.total_cost is None


@pytest.mark.parametrize(
    ("start", "end"),
    [(0, 0), (0, START), (START, 0), (START, START - 10**9), (2**64 - 1, 2**64 - 1), (1, 2), (START, 2**64 - 1)],
)
def test_absurd_times_become_plausible_and_are_told(send, project, start, end):
    span = json_span() | {"startTimeUnixNano": str(start), "endTimeUnixNano": str(end)}
    assert send(protobuf(export(span))).status_code == 200
    row = project.observations.get()
    assert row.start_time <= row.end_time
    assert 2000 < row.start_time.year < 2100
    if START in (start, end):
        assert row.start_time.timestamp() == START / 10**9
    is_absurd = any(edge not in (0, START) for edge in (start, end))
    reported = {"start": str(start), "end": str(end)} if is_absurd else None
    assert payload.load(row.metadata).get("reportedTimes") == reported


def test_ten_thousand_attributes_and_deep_nesting_are_stored(send, project):
    deep = []
    for _ in range(150):
        deep = [deep]
    many = {f"key.{number}": number for number in range(10_000)}
    assert send(export(json_span({**many, "deep": deep}))).status_code == 200
    attributes = payload.load(project.observations.get().metadata)["attributes"]
    assert len(attributes) == 10_001


def test_json_numbers_may_be_strings(send, project):
    span = json_span()
    span["attributes"] = [
        {"key": "llm.token_count.prompt", "value": {"intValue": 5}},
        {"key": "llm.token_count.completion", "value": {"intValue": "7"}},
        {"key": "llm.cost.total", "value": {"doubleValue": "0.5"}},
    ]
    span["startTimeUnixNano"] = int(span["startTimeUnixNano"])
    assert send(export(span)).status_code == 200
    row = project.observations.get()
    assert (row.input_tokens, row.output_tokens, row.total_tokens, row.total_cost) == (5, 7, 12, 0.5)


def test_a_failing_statement_stores_nothing_of_the_export(send, project, monkeypatch):
    def explode(*args):
        raise OperationalError("the server closed the connection")

    # The last statement of the transaction fails: what came before it must go, too.
    monkeypatch.setattr(store, "_touch_sessions", explode)
    response = send(export(GOOD))
    assert is_error(response, 503)
    assert response["Retry-After"]
    assert nothing_is_stored()


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
keys = st.sampled_from(
    [
        "langfuse.observation.input",
        "langfuse.observation.output",
        "langfuse.observation.type",
        "langfuse.observation.level",
        "langfuse.observation.usage_details",
        "langfuse.observation.cost_details",
        "langfuse.observation.model.parameters",
        "langfuse.observation.completion_start_time",
        "langfuse.observation.prompt.version",
        "langfuse.observation.metadata",
        "langfuse.observation.metadata.k",
        "langfuse.trace.metadata",
        "langfuse.trace.metadata.k",
        "langfuse.trace.tags",
        "langfuse.trace.name",
        "langfuse.trace.input",
        "langfuse.trace.public",
        "langfuse.internal.as_root",
        "langfuse.environment",
        "user.id",
        "session.id",
        "metadata",
        "tag.tags",
        "input.value",
        "output.value",
        "openinference.span.kind",
        "llm.token_count.prompt",
        "llm.token_count.prompt_details.cache_read",
        "llm.cost.total",
        "llm.invocation_parameters",
        "llm.input_messages.0.message.role",
        "llm.input_messages.0",
        "llm.input_messages.0.message.contents.1.message_content.image",
        "llm.output_messages.1.x",
        "llm.output_messages.0.message.tool_calls.0.tool_call.function.name",
        "gen_ai.prompt.0.content",
        "gen_ai.prompt",
        "gen_ai.completion.0.tool_calls.0.name",
        "gen_ai.input.messages",
        "gen_ai.output.messages",
        "gen_ai.system_instructions",
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.cost",
        "gen_ai.request.temperature",
        "gen_ai.operation.name",
        "gen_ai.tool.name",
        "ai.response.msToFirstChunk",
        "ai.usage.promptTokens",
        "events",
        "service.version",
        "deployment.environment",
    ]
)
kinds = st.sampled_from(
    ["stringValue", "intValue", "doubleValue", "boolValue", "arrayValue", "kvlistValue", "bytesValue", "oddValue"]
)
attributes = st.lists(
    st.fixed_dictionaries({"key": keys | values, "value": st.dictionaries(kinds, values, max_size=2) | values}),
    max_size=8,
)
events = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.sampled_from(["gen_ai.choice", "gen_ai.user.message", "exception", 7]),
            "attributes": attributes,
        }
    ),
    max_size=3,
)
spans = st.fixed_dictionaries(
    {"traceId": st.just("a" * 32), "spanId": st.just("b" * 16)},
    optional={
        "parentSpanId": st.just("c" * 16) | values,
        "name": values,
        "startTimeUnixNano": st.integers() | values,
        "endTimeUnixNano": st.integers(0, 2**64).map(str) | values,
        "attributes": attributes | values,
        "events": events | values,
        "status": st.fixed_dictionaries({"code": values, "message": values}) | values,
    },
)
exports = values | st.fixed_dictionaries(
    {
        "resourceSpans": st.lists(
            st.fixed_dictionaries(
                {
                    "resource": st.fixed_dictionaries({"attributes": attributes}) | st.none(),
                    "scopeSpans": st.lists(
                        st.fixed_dictionaries({"spans": st.lists(spans, max_size=3) | values}), max_size=2
                    ),
                }
            ),
            max_size=2,
        )
    }
)
FUZZ = settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))


@FUZZ
@given(export=exports)
def test_no_json_makes_the_server_fail(send, export):
    response = send(json.dumps(export).encode(), JSON)
    assert response.status_code in (200, 400), response.content


@FUZZ
@given(body=st.binary(max_size=200), is_gzip=st.booleans(), content_type=st.sampled_from([JSON, PROTOBUF]))
def test_no_bytes_make_the_server_fail(send, body, is_gzip, content_type):
    headers = {"Content-Encoding": "gzip"} if is_gzip else {}
    assert send(body, content_type, **headers).status_code in (200, 400)


@pytest.mark.parametrize("signal", ["metrics", "logs"])
def test_other_signals_are_accepted_and_dropped(client, api_key, signal):
    url = f"/api/public/otel/v1/{signal}"
    sent = client.post(url, b"{}", content_type="application/json", headers={"Authorization": api_key.basic})
    assert (sent.status_code, sent.json()) == (200, {})
    sent = client.post(url, b"x", content_type="application/x-protobuf", headers={"Authorization": api_key.basic})
    assert (sent.status_code, sent.content) == (200, b"")
    assert client.post(url, b"{}", content_type="application/json").status_code == 401
    assert client.get(url, headers={"Authorization": api_key.basic}).status_code == 405

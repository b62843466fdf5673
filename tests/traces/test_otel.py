"""What every known kind of span attribute becomes: one table a convention, and the rules between them."""

import json
from datetime import timedelta

import pytest

from evalapp.traces.otel import decode, environment_of, spans_of, tags_of
from tests.traces.otlp import START, export, json_span, protobuf

RECEIVED = START + 3600 * 10**9


def mapped(attributes=(), *, resource=(), scope="my.scope", scope_version="1", **fields):
    """The Span that one exported span becomes; the same by protobuf and by JSON."""
    given = export(json_span(attributes, **fields), resource=resource, scope=scope, scope_version=scope_version)
    (by_json,) = spans_of(json.dumps(given).encode(), is_json=True, received=RECEIVED)
    (by_protobuf,) = spans_of(protobuf(given), is_json=False, received=RECEIVED)
    assert by_json == by_protobuf
    return by_json


def check(attributes, expected, **context):
    span = mapped(attributes, **context)
    assert {field: getattr(span, field) for field in expected} == expected


def telemetry(span):
    return json.loads(b"{" + span.telemetry + b"}")


PYTHON_5 = {
    "user.id": "u1",
    "session.id": "s1",
    "langfuse.trace.metadata.team": '"blue"',
    "langfuse.version": "v9",
    "langfuse.trace.tags": ["t1", "t2"],
    "langfuse.trace.name": "checkout",
    "langfuse.trace.public": True,
    "langfuse.environment": "staging",
    "langfuse.release": "rel-1",
    "langfuse.observation.type": "generation",
    "langfuse.observation.input": '[{"role": "user", "content": "capital?"}]',
    "langfuse.observation.output": "Paris",
    "langfuse.observation.model.name": "gpt-4o",
    "langfuse.observation.model.parameters": '{"temperature": 0.2, "stop": ["a"], "stream": true}',
    "langfuse.observation.usage_details": '{"input": 10, "output": 5, "total": 15}',
    "langfuse.observation.cost_details": '{"input": 0.001, "output": 0.002, "total": 0.003}',
    "langfuse.observation.completion_start_time": '"2026-11-18T11:06:40.500000Z"',
    "langfuse.observation.prompt.name": "greet",
    "langfuse.observation.prompt.version": 3,
    "langfuse.observation.metadata.number": "1",
    "langfuse.observation.metadata.text": '"x"',
    "langfuse.observation.metadata.quoted": '"123"',
    "langfuse.observation.metadata.nested": '{"k":[1,2]}',
}


def test_langfuse_python_5():
    check(
        PYTHON_5,
        {
            "type": "GENERATION",
            "input": '[{"role": "user", "content": "capital?"}]',
            "output": "Paris",
            "model": "gpt-4o",
            "model_parameters": {"temperature": 0.2, "stop": '["a"]', "stream": "true"},
            "usage": {"input": 10, "output": 5, "total": 15},
            "input_tokens": 10,
            "output_tokens": 5,
            "total_tokens": 15,
            "cost": {"input": 0.001, "output": 0.002, "total": 0.003},
            "total_cost": 0.003,
            "prompt_name": "greet",
            "prompt_version": 3,
            "metadata": {"number": 1, "text": "x", "quoted": "123", "nested": {"k": [1, 2]}},
            "trace_metadata": {"team": "blue"},
            "trace_name": "checkout",
            "user_id": "u1",
            "session_id": "s1",
            "tags": ("t1", "t2"),
            "public": True,
            "environment": "staging",
            "release": "rel-1",
            "version": "v9",
        },
        scope="langfuse-sdk",
        scope_version="5.0.4",
    )
    span = mapped(PYTHON_5)
    assert span.completion_start_time - span.start_time == timedelta(seconds=0.5)
    assert "attributes" not in telemetry(span)


def test_langfuse_python_3_and_4_and_js():
    check(
        {
            "langfuse.observation.type": "tool",
            "langfuse.observation.level": "WARNING",
            "langfuse.observation.status_message": "careful",
            "langfuse.observation.input": '{"x":1}',
            "langfuse.observation.metadata": '{"a": {"b": 1}}',
            "langfuse.observation.metadata.num": 3,
            "langfuse.observation.metadata.plain": "not json",
            "langfuse.trace.metadata": "scalar",
            "langfuse.trace.input": '{"q": 1}',
            "langfuse.trace.output": "done",
            "langfuse.internal.as_root": True,
        },
        {
            "type": "TOOL",
            "level": "WARNING",
            "status_message": "careful",
            "input": '{"x":1}',
            "output": None,
            "metadata": {"a": {"b": 1}, "num": 3, "plain": "not json"},
            "trace_metadata": {"metadata": "scalar"},
            "trace_input": '{"q": 1}',
            "trace_output": "done",
            "as_root": True,
            "is_root": True,
            "parent_id": "c" * 16,
        },
        parent="c" * 16,
        scope="langfuse-sdk",
        scope_version="4.18.0",
    )


def test_early_python_3_marks_generations_as_spans():
    attributes = {"langfuse.observation.type": "span", "langfuse.observation.model.name": "gpt-4o"}
    check(attributes, {"type": "GENERATION"}, scope="langfuse-sdk", scope_version="3.2.1")
    check(attributes, {"type": "SPAN"}, scope="langfuse-sdk", scope_version="3.15.0")


def test_langchain_names_user_session_and_tags_in_metadata():
    check(
        {
            "langfuse.observation.metadata.langfuse_user_id": "u",
            "langfuse.observation.metadata.langfuse_session_id": '"s"',
            "langfuse.observation.metadata.langfuse_tags": '["a","b"]',
        },
        {"user_id": "u", "session_id": "s", "tags": ("a", "b")},
    )


def test_an_experiment_is_described_by_the_span_that_stands_for_its_item():
    said = {
        "langfuse.experiment.id": "e1",
        "langfuse.experiment.name": "exp",
        "langfuse.experiment.metadata": '{"model": "m1"}',
        "langfuse.experiment.item.id": "i1",
        "langfuse.experiment.item.metadata.n": "0",
        "langfuse.experiment.item.expected_output": "a0",
    }
    span = mapped({**said, "langfuse.experiment.item.root_observation_id": "b" * 16})
    assert span.experiment_id == "e1"
    assert span.experiment == {
        "id": "e1",
        "name": "exp",
        "description": None,
        "metadata": {"model": "m1"},
        "dataset_id": None,
        "item_id": "i1",
        "item_version": None,
        "item_metadata": {"n": 0},
        "expected_output": "a0",
    }
    assert "attributes" not in telemetry(span)
    other = mapped({**said, "langfuse.experiment.item.root_observation_id": "c" * 16})
    assert (other.experiment_id, other.experiment) == ("e1", None)


OPENINFERENCE = {
    "openinference.span.kind": "LLM",
    "llm.system": "openai",
    "input.value": '{"messages": [{"role": "user", "content": "capital?"}]}',
    "input.mime_type": "application/json",
    "output.value": '{"choices": []}',
    "output.mime_type": "application/json",
    "session.id": "s1",
    "user.id": "u1",
    "metadata": '{"tenant": "acme"}',
    "tag.tags": ["a", "b"],
    "llm.invocation_parameters": '{"model": "gpt-4o", "temperature": 0.1}',
    "llm.model_name": "gpt-4o",
    "llm.token_count.prompt": 50,
    "llm.token_count.completion": 20,
    "llm.token_count.total": 70,
    "llm.token_count.prompt_details.cache_read": 30,
    "llm.token_count.completion_details.reasoning": 15,
    "llm.cost.total": 0.25,
    "llm.input_messages.0.message.role": "user",
    "llm.input_messages.0.message.content": "capital?",
}


def test_openinference():
    check(
        OPENINFERENCE,
        {
            "type": "GENERATION",
            "input": OPENINFERENCE["input.value"],
            "output": '{"choices": []}',
            "model": "gpt-4o",
            "model_parameters": {"temperature": 0.1},
            "metadata": {"tenant": "acme"},
            "user_id": "u1",
            "session_id": "s1",
            "tags": ("a", "b"),
            "usage": {
                "input": 20,
                "output": 5,
                "total": 70,
                "input_cached_tokens": 30,
                "output_reasoning_tokens": 15,
            },
            "input_tokens": 50,
            "output_tokens": 20,
            "total_tokens": 70,
            "total_cost": 0.25,
        },
    )
    assert telemetry(mapped(OPENINFERENCE))["attributes"] == {"llm.system": "openai"}


def test_a_failed_call_of_openinference_has_the_model_that_was_asked_for():
    attributes = {"openinference.span.kind": "LLM", "llm.invocation_parameters": '{"model": "gpt-4o", "seed": 1}'}
    check(attributes, {"model": "gpt-4o", "model_parameters": {"seed": 1}})
    check({**attributes, "llm.model_name": "gpt-4o-2024"}, {"model": "gpt-4o-2024"})


def test_openinference_messages_become_openais():
    span = mapped(
        {
            "llm.input_messages.1.message.role": "user",
            "llm.input_messages.1.message.contents.0.message_content.type": "text",
            "llm.input_messages.1.message.contents.0.message_content.text": "What is this?",
            "llm.input_messages.1.message.contents.1.message_content.type": "image",
            "llm.input_messages.1.message.contents.1.message_content.image.image.url": "https://example.com/x.png",
            "llm.input_messages.0.message.role": "system",
            "llm.input_messages.0.message.content": "be brief",
            "llm.output_messages.0.message.role": "assistant",
            "llm.output_messages.0.message.tool_calls.0.tool_call.id": "c1",
            "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "look",
            "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": '{"at": 1}',
        }
    )
    assert json.loads(span.input) == [
        {"role": "system", "content": "be brief"},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": "https://example.com/x.png"}},
            ],
        },
    ]
    assert json.loads(span.output) == [
        {
            "role": "assistant",
            "tool_calls": [
                {"type": "function", "id": "c1", "function": {"name": "look", "arguments": '{"at": 1}'}}
            ],
        }
    ]


@pytest.mark.parametrize(
    ("kind", "type"),
    [("LLM", "GENERATION"), ("AGENT", "AGENT"), ("TOOL", "TOOL"), ("RETRIEVER", "RETRIEVER"), ("UNKNOWN", "SPAN")],
)
def test_openinference_kinds(kind, type):
    check({"openinference.span.kind": kind}, {"type": type})


def test_gen_ai_messages_with_system_instructions():
    user = {"role": "user", "parts": [{"type": "text", "content": "hi"}]}
    reply = [{"role": "assistant", "parts": [{"type": "text", "content": "yo"}], "finish_reason": "stop"}]
    span = mapped(
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.response.model": "gpt-4o-2024",
            "gen_ai.request.temperature": 0.5,
            "gen_ai.request.stop_sequences": ["a", "b"],
            "gen_ai.usage.input_tokens": 3,
            "gen_ai.usage.output_tokens": 4,
            "gen_ai.usage.cost": 0.5,
            "gen_ai.conversation.id": "conv1",
            "gen_ai.system_instructions": '[{"type": "text", "content": "be brief"}]',
            "gen_ai.input.messages": json.dumps([user]),
            "gen_ai.output.messages": json.dumps(reply),
            "custom": {"nested": [1, True]},
        }
    )
    assert (span.type, span.model, span.session_id) == ("GENERATION", "gpt-4o-2024", "conv1")
    assert span.model_parameters == {"temperature": 0.5, "stop_sequences": '["a","b"]'}
    assert span.usage == {"input": 3, "output": 4, "total": 7}
    assert span.cost == {"total": 0.5}
    assert json.loads(span.input) == [
        {"role": "system", "parts": [{"type": "text", "content": "be brief"}]},
        user,
    ]
    assert json.loads(span.output) == reply
    assert telemetry(span)["attributes"] == {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "gpt-4o",
        "custom": {"nested": [1, True]},
    }


def test_old_gen_ai_attributes_of_openllmetry():
    span = mapped(
        {
            "llm.request.type": "chat",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.prompt.0.role": "user",
            "gen_ai.prompt.0.content": "hi",
            "gen_ai.completion.0.role": "assistant",
            "gen_ai.completion.0.tool_calls.0.id": "c1",
            "gen_ai.completion.0.tool_calls.0.name": "look",
            "gen_ai.completion.0.tool_calls.0.arguments": "{}",
            "gen_ai.usage.prompt_tokens": 3,
            "gen_ai.usage.completion_tokens": 4,
            "llm.usage.total_tokens": 9,
            "traceloop.association.properties.user_id": "u",
            "traceloop.association.properties.plan": "gold",
        }
    )
    assert json.loads(span.input) == [{"role": "user", "content": "hi"}]
    call = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    assert json.loads(span.output) == [{"role": "assistant", "tool_calls": [call]}]
    assert (span.type, span.input_tokens, span.output_tokens, span.user_id) == ("GENERATION", 3, 4, "u")
    assert span.metadata == {"user_id": "u", "plan": "gold"}


def test_openllmetry_workflows():
    check(
        {
            "traceloop.span.kind": "workflow",
            "traceloop.entity.input": '{"args": []}',
            "traceloop.entity.output": '"done"',
        },
        {"type": "CHAIN", "input": '{"args": []}', "output": '"done"'},
    )


def event(name, **attributes):
    return {
        "name": name,
        "timeUnixNano": str(START),
        "attributes": [{"key": key, "value": {"stringValue": value}} for key, value in attributes.items()],
    }


def test_gen_ai_messages_as_span_events():
    span = mapped(
        {"gen_ai.operation.name": "chat"},
        events=[
            event("gen_ai.system.message", content="be brief"),
            event("gen_ai.user.message", content="hi"),
            event("gen_ai.choice", message='{"role": "assistant", "content": "yo"}', finish_reason="stop"),
            event("exception", **{"exception.type": "ValueError"}),
        ],
    )
    assert json.loads(span.input) == [
        {"role": "system", "content": "be brief"},
        {"role": "user", "content": "hi"},
    ]
    (reply,) = json.loads(span.output)
    assert (reply["role"], reply["content"]) == ("assistant", "yo")
    (rest,) = telemetry(span)["events"]
    assert (rest["name"], rest["attributes"]) == ("exception", {"exception.type": "ValueError"})


def test_langfuses_payload_rules_out_all_others():
    check({"langfuse.observation.output": "x", "input.value": "y"}, {"input": None, "output": "x"})


def test_a_failed_status_is_an_error_unless_a_level_is_set():
    status = {"code": 2, "message": "ValueError: boom"}
    check({}, {"level": "ERROR", "status_message": "ValueError: boom"}, status=status)
    check({"langfuse.observation.level": "info"}, {"level": "DEFAULT"}, status=status)


@pytest.mark.parametrize(
    ("given", "level"),
    [("verbose", "DEBUG"), ("WARN", "WARNING"), ("fatal", "ERROR"), ("success", "DEFAULT"), ("?", "DEFAULT")],
)
def test_aliases_of_levels(given, level):
    check({"langfuse.observation.level": given}, {"level": level})


@pytest.mark.parametrize(
    ("attributes", "type"),
    [
        ({"gen_ai.tool.name": "look"}, "TOOL"),
        ({"gen_ai.operation.name": "execute_tool", "model": "x"}, "TOOL"),
        ({"gen_ai.operation.name": "embeddings"}, "EMBEDDING"),
        ({"ai.operationId": "ai.toolCall"}, "TOOL"),
        ({"gen_ai.request.model": "x"}, "GENERATION"),
        ({"langfuse.observation.type": "nonsense", "openinference.span.kind": "AGENT"}, "AGENT"),
        ({}, "SPAN"),
    ],
)
def test_types(attributes, type):
    check(attributes, {"type": type})


def test_prompts_belong_to_generations_only():
    check(
        {"langfuse.observation.type": "span", "langfuse.observation.prompt.name": "greet"},
        {"prompt_name": None, "prompt_version": None},
    )


def test_the_resource_speaks_for_spans_that_are_silent():
    resource = {"service.version": "1.2", "langfuse.release": "r", "deployment.environment": "Production"}
    check({}, {"version": "1.2", "release": "r", "environment": "production"}, resource=resource)
    check({"deployment.environment": "dev"}, {"environment": "dev"}, resource=resource)
    resource["langfuse.environment"] = "staging"
    check({"deployment.environment": "dev"}, {"environment": "staging"}, resource=resource)
    assert telemetry(mapped(resource=resource))["resourceAttributes"] == resource


@pytest.mark.parametrize(
    ("given", "environment"),
    [
        ("Staging", "staging"),
        ("langfuse-prod", "prod"),
        ("langfuse_langfuse-x", "x"),
        ("sdk-experiment", "sdk-experiment"),
        ("a" * 50, "a" * 40),
        ("with space", "default"),
        ("langfuse", "default"),
    ],
)
def test_environments(given, environment):
    assert environment_of(given) == environment


@pytest.mark.parametrize(
    ("given", "tags"),
    [
        (["a", " b "], ("a", "b")),
        ('["a","b"]', ("a", "b")),
        ("a, b", ("a", "b")),
        ("a", ("a",)),
        ("", ()),
        ([1, True, None], ("1", "True")),
    ],
)
def test_tags(given, tags):
    assert tags_of(given) == tags


@pytest.mark.parametrize(
    ("given", "usage", "tokens"),
    [
        (
            {
                "prompt_tokens": 10,
                "completion_tokens": 5,
                "total_tokens": 15,
                "prompt_tokens_details": {"cached_tokens": 4},
            },
            {"input": 6, "output": 5, "total": 15, "input_cached_tokens": 4},
            (10, 5, 15),
        ),
        (
            {
                "input_tokens": 10,
                "output_tokens": 5,
                "total_tokens": 15,
                "output_tokens_details": {"reasoning": 2},
            },
            {"input": 10, "output": 3, "total": 15, "output_reasoning": 2},
            (10, 5, 15),
        ),
        (
            {"prompt_tokens": 3, "completion_tokens": 4},
            {"prompt_tokens": 3, "completion_tokens": 4, "total": 7},
            (3, 4, 7),
        ),
        ({"input": "3", "x": -1, "y": 1e30, "z": "n"}, {"input": 3, "total": 3}, (3, None, 3)),
        ([1], None, (None, None, None)),
    ],
)
def test_shapes_of_usage(given, usage, tokens):
    span = mapped({"langfuse.observation.usage_details": json.dumps(given)})
    assert span.usage == usage
    assert (span.input_tokens, span.output_tokens, span.total_tokens) == tokens


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ('{"a": 1}', {"a": 1}),
        ('"x"', "x"),
        ("12", 12),
        ("NaN", "NaN"),
        ("plain", "plain"),
        ("{broken", "{broken"),
        ("", ""),
        (7, 7),
    ],
)
def test_values_are_json_where_they_are_json(given, value):
    assert decode(given) == value


def test_spans_with_the_same_keys_do_not_share_values():
    given = export(
        json_span({"input.value": "one", "x": 1}, id="1" * 16),
        json_span({"input.value": "two", "x": 2}, id="2" * 16),
    )
    one, two = spans_of(protobuf(given), is_json=False, received=RECEIVED)
    assert (one.input, two.input) == ("one", "two")
    assert telemetry(one)["attributes"] == {"x": 1} and telemetry(two)["attributes"] == {"x": 2}

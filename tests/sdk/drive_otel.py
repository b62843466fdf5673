"""Runs in an environment of its own: plain OpenTelemetry, spans in the gen_ai conventions made by hand."""

import json

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
tracer = provider.get_tracer("shop")


def messages(role, content):
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": content}]}])


root = tracer.start_span("support-agent", attributes={"gen_ai.operation.name": "invoke_agent", "user.id": "u1"})
with trace.use_span(root, end_on_exit=True):
    with tracer.start_as_current_span(
        "chat gpt-4o",
        attributes={
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.conversation.id": "s1",
            "gen_ai.input.messages": messages("user", "Where is order o-17?"),
            "gen_ai.output.messages": messages("assistant", "It was shipped on Monday."),
            "gen_ai.usage.input_tokens": 1000,
            "gen_ai.usage.output_tokens": 100,
        },
    ):
        pass
    with tracer.start_as_current_span(
        "execute_tool lookup_order",
        attributes={
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "lookup_order",
            "gen_ai.tool.call.arguments": '{"order": "o-17"}',
            "gen_ai.tool.call.result": '{"status": "shipped"}',
        },
    ):
        pass
    try:
        with tracer.start_as_current_span("retrieve"):
            raise RuntimeError("the index is away")
    except RuntimeError:
        pass
flushed = provider.force_flush()
provider.shutdown()
print(json.dumps({"trace_id": format(root.get_span_context().trace_id, "032x"), "flushed": flushed}))

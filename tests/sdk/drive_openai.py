"""Runs in an environment of its own: an agent on the real `openai` package under an instrumentor.

The exporter is OpenTelemetry's and reads OTEL_EXPORTER_OTLP_*; the one argument names the instrumentor.
"""

import contextlib
import json
import sys

import openai
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
if sys.argv[1] == "openinference":
    from openinference.instrumentation.openai import OpenAIInstrumentor
elif sys.argv[1] == "openllmetry":
    from opentelemetry.instrumentation.openai import OpenAIInstrumentor
elif sys.argv[1] == "langfuse":
    from langfuse import Langfuse

    Langfuse(tracer_provider=provider)
    from langfuse.openai import openai
if sys.argv[1] != "langfuse":
    OpenAIInstrumentor().instrument(tracer_provider=provider)

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "lookup_order",
            "description": "Look an order up",
            "parameters": {"type": "object", "properties": {"order": {"type": "string"}}},
        },
    }
]
client = openai.OpenAI(max_retries=0)
tracer = trace.get_tracer("shop")
with tracer.start_as_current_span("support-agent") as root:
    messages = [
        {"role": "system", "content": "You are brief."},
        {"role": "user", "content": "Where is order o-17?"},
    ]
    asked = client.chat.completions.create(model="gpt-4o", messages=messages, tools=TOOLS, temperature=0.2)
    call = asked.choices[0].message.tool_calls[0]
    with tracer.start_as_current_span(
        f"execute_tool {call.function.name}",
        attributes={
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": call.function.name,
            "gen_ai.tool.call.id": call.id,
            "gen_ai.tool.call.arguments": call.function.arguments,
            "gen_ai.tool.call.result": '{"status": "shipped"}',
        },
    ):
        pass
    messages += [
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": call.id,
                    "type": "function",
                    "function": {"name": call.function.name, "arguments": call.function.arguments},
                }
            ],
        },
        {"role": "tool", "tool_call_id": call.id, "content": '{"status": "shipped"}'},
    ]
    client.chat.completions.create(model="gpt-4o", messages=messages, tools=TOOLS)
    again = [{"role": "user", "content": "Once more, streamed?"}]
    stream = client.chat.completions.create(
        model="gpt-4o", messages=again, stream=True, stream_options={"include_usage": True}
    )
    text = "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
    with contextlib.suppress(openai.NotFoundError):
        client.chat.completions.create(model="gpt-unknown", messages=again)
    trace_id = format(root.get_span_context().trace_id, "032x")
flushed = provider.force_flush()
provider.shutdown()
print(json.dumps({"trace_id": trace_id, "streamed": text, "flushed": flushed}))

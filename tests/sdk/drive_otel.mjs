// Plain OpenTelemetry for JavaScript; OTEL_EXPORTER chooses the JSON exporter ("http") or the protobuf one ("proto").
import { OTLPTraceExporter as HttpExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as ProtoExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import { SpanStatusCode, context, trace } from "@opentelemetry/api";

const exporter = process.env.OTEL_EXPORTER === "proto" ? new ProtoExporter() : new HttpExporter();
const provider = new NodeTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter)] });
const tracer = provider.getTracer("shop");
const messages = (role, content) => JSON.stringify([{ role, parts: [{ type: "text", content }] }]);

const root = tracer.startSpan("support-agent", {
  attributes: { "gen_ai.operation.name": "invoke_agent", "user.id": "u1" },
});
const within = trace.setSpan(context.active(), root);
const child = (name, attributes) => tracer.startSpan(name, { attributes }, within);
child("chat gpt-4o", {
  "gen_ai.operation.name": "chat",
  "gen_ai.request.model": "gpt-4o",
  "gen_ai.conversation.id": "s1",
  "gen_ai.input.messages": messages("user", "Where is order o-17?"),
  "gen_ai.output.messages": messages("assistant", "It was shipped on Monday."),
  "gen_ai.usage.input_tokens": 1000,
  "gen_ai.usage.output_tokens": 100,
}).end();
child("execute_tool lookup_order", {
  "gen_ai.operation.name": "execute_tool",
  "gen_ai.tool.name": "lookup_order",
  "gen_ai.tool.call.arguments": '{"order": "o-17"}',
  "gen_ai.tool.call.result": '{"status": "shipped"}',
}).end();
const failing = child("retrieve", {});
const error = new Error("the index is away");
failing.recordException(error);
failing.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
failing.end();
root.end();

await provider.forceFlush();
await provider.shutdown();
console.log(JSON.stringify({ trace_id: root.spanContext().traceId }));

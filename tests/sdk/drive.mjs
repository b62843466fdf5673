// Runs with the published JS packages, as an application would. Prints one JSON object.
import { LangfuseClient } from "@langfuse/client";
import { LangfuseSpanProcessor } from "@langfuse/otel";
import { propagateAttributes, startActiveObservation, startObservation } from "@langfuse/tracing";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";

const processor = new LangfuseSpanProcessor({ environment: "staging", release: "r1" });
new NodeTracerProvider({ spanProcessors: [processor] }).register();
const client = new LangfuseClient();
const told = {};

await startActiveObservation(
  "support-agent",
  async (agent) => {
    await propagateAttributes({ userId: "u1", sessionId: "s1", tags: ["beta"] }, async () => {
      agent.update({ input: { q: 1 }, output: "On its way." });
      const llm = startObservation(
        "llm",
        {
          model: "gpt-4o",
          input: [{ role: "user", content: "Where is my order?" }],
          output: { role: "assistant", content: "On its way." },
          usageDetails: { input: 1000, output: 100 },
        },
        { asType: "generation" },
      );
      llm.end();
      client.score.observation(llm, { name: "tone", value: "kind", dataType: "CATEGORICAL" });
      startObservation("lookup", { input: { order: 1 }, output: { status: "shipped" } }, { asType: "tool" }).end();
      startObservation("fails", { level: "ERROR", statusMessage: "timeout" }, { asType: "retriever" }).end();
      const image = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=";
      startObservation("picture", { input: { image } }).end();
      told.trace_id = agent.traceId;
    });
  },
  { asType: "agent" },
);

client.score.create({ traceId: told.trace_id, name: "quality", value: 0.5, comment: "fair" });
client.score.create({ traceId: told.trace_id, name: "correct", value: 1, dataType: "BOOLEAN" });
client.score.create({ traceId: told.trace_id, name: "note", value: "Did not look.", dataType: "TEXT" });

await client.api.datasets.create({ name: "folder/orders", description: "Orders" });
for (const number of [0, 1, 2]) {
  await client.api.datasetItems.create({ datasetName: "folder/orders", input: { q: number }, expectedOutput: number * 2 });
}
const dataset = await client.dataset.get("folder/orders");
told.items = dataset.items.map((item) => item.input.q).sort();
const exact = async ({ output, expectedOutput }) => ({ name: "exact", value: output === expectedOutput ? 1 : 0 });
const accuracy = async ({ itemResults }) => ({ name: "accuracy", value: itemResults.length });
const run = await dataset.runExperiment({
  name: "doubling",
  runName: "run 1",
  task: async ({ input }) => input.q * 2,
  evaluators: [exact],
  runEvaluators: [accuracy],
});
told.run_items = run.itemResults.length;
told.dataset_run_id = run.datasetRunId;

await client.prompt.create({ name: "folder/greet", type: "text", prompt: "Hi {{name}}", labels: ["production"] });
told.prompt = (await client.prompt.get("folder/greet")).compile({ name: "Ada" });
await client.prompt.update({ name: "folder/greet", version: 1, newLabels: ["staging"] });
try {
  await client.prompt.get("missing");
} catch (error) {
  told.missing_prompt = String(error).includes("not found");
}

await client.score.flush();
await processor.forceFlush();
await client.flush();
told.traces = (await client.api.trace.list({ userId: "u1" })).data.length;
console.log(JSON.stringify(told));
process.exit(0);

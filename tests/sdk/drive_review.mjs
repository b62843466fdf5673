// Runs with the published JS packages: what is done by calling the API client. Prints one JSON object.
import { LangfuseClient } from "@langfuse/client";
import { LangfuseSpanProcessor } from "@langfuse/otel";
import { propagateAttributes, startActiveObservation, startObservation } from "@langfuse/tracing";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";

const processor = new LangfuseSpanProcessor();
new NodeTracerProvider({ spanProcessors: [processor] }).register();
const client = new LangfuseClient();
const api = client.api;
const told = {};
const projectId = (await api.projects.get()).data[0].id;

await propagateAttributes({ sessionId: "folder/s 1" }, () =>
  startActiveObservation("ask", async (root) => {
    root.update({ input: "q", output: "a" });
    told.trace_id = root.traceId;
    const look = startObservation("look", { input: { n: 1 } }, { asType: "tool" });
    told.observation_id = look.id;
    look.end();
  }),
);
await processor.forceFlush();

const quality = await api.scoreConfigs.create({ name: "quality", dataType: "NUMERIC", minValue: 0, maxValue: 10 });
const tone = await api.scoreConfigs.create({
  name: "tone",
  dataType: "CATEGORICAL",
  categories: [{ label: "kind", value: 1 }, { label: "rude", value: 0 }],
});
const changed = await api.scoreConfigs.update(tone.id, { description: "How it sounds" });
told.configs = (await api.scoreConfigs.get()).data.map((config) => config.name).sort();
told.config = [changed.description, (await api.scoreConfigs.getById(quality.id)).maxValue];

const score = (fields) => client.score.create({ traceId: told.trace_id, ...fields });
score({ id: "score-1", name: "quality", value: 3, configId: quality.id });
await client.score.flush();
score({ id: "score-1", name: "quality", value: 7, configId: quality.id, comment: "better" });
score({ name: "tone", value: "kind", dataType: "CATEGORICAL", configId: tone.id });
score({ name: "output", value: "The better answer", dataType: "CORRECTION" });
client.score.create({ sessionId: "folder/s 1", name: "session", value: 1 });
await client.score.flush();

const queue = await api.annotationQueues.createQueue({ name: "Review", scoreConfigIds: [quality.id] });
const items = [];
for (const [objectId, objectType] of [[told.trace_id, "TRACE"], [told.observation_id, "OBSERVATION"]]) {
  items.push(await api.annotationQueues.createQueueItem(queue.id, { objectId, objectType }));
}
const done = await api.annotationQueues.updateQueueItem(queue.id, items[0].id, { status: "COMPLETED" });
await api.annotationQueues.deleteQueueItem(queue.id, items[1].id);
told.item = [done.status, (await api.annotationQueues.getQueueItem(queue.id, items[0].id)).objectId];
told.items = (await api.annotationQueues.listQueueItems(queue.id)).data.map((item) => item.id === items[0].id);

const subject = { objectType: "TRACE", objectId: told.trace_id };
const comment = await api.comments.create({ projectId, ...subject, content: "Look at *this*." });
told.comments = (await api.comments.get(subject)).data.map((found) => found.content);
told.comment = (await api.comments.getById(comment.id)).objectId === told.trace_id;

const hour = 3_600_000;
const query = JSON.stringify({
  view: "observations",
  metrics: [{ measure: "count", aggregation: "count" }],
  dimensions: [{ field: "name" }],
  filters: [],
  fromTimestamp: new Date(Date.now() - hour).toISOString(),
  toTimestamp: new Date(Date.now() + hour).toISOString(),
});
const rows = (await api.metrics.metrics({ query })).data;
told.metrics = Object.fromEntries(rows.map((row) => [row.name, Number(row.count_count)]));
told.session = (await api.sessions.get("folder/s 1")).traces.map((trace) => trace.id === told.trace_id);

for (const prompt of ["Hi {{name}}", "Hello {{name}}"]) {
  await client.prompt.create({ name: "a/b", prompt, labels: ["production"] });
}
told.prompt = (await client.prompt.get("a/b")).compile({ name: "Ada" });
told.first = (await client.prompt.get("a/b", { version: 1 })).prompt;
await client.prompt.update({ name: "a/b", version: 1, newLabels: ["production"] });
told.moved = (await client.prompt.get("a/b", { cacheTtlSeconds: 0 })).prompt;
told.fallback = (await client.prompt.get("none", { fallback: "Hey", maxRetries: 0 })).prompt;
await client.prompt.delete("a/b");
told.prompts_after = (await api.prompts.list()).data.length;

await startActiveObservation("unwanted", async (root) => { told.unwanted = root.traceId; });
await processor.forceFlush();
await api.trace.delete(told.unwanted);
console.log(JSON.stringify(told));
process.exit(0);

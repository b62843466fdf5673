"""Runs in the SDK's own virtual environment: everything that is done by calling its API client.

Where a version names or takes something differently, `call` bridges; a call that a version has not is left out.
"""

import importlib
import json
import sys
from datetime import UTC, datetime, timedelta

import langfuse
from langfuse import Evaluation, Langfuse

VERSION = int(sys.argv[1])
client = Langfuse()
api = client.api
told = {}
PROJECT = api.projects.get().data[0].id


def call(method, request_type, *path, **fields):
    """Call a method that takes its fields by name, or in version 3 as one request object."""
    if VERSION > 3:
        return method(*path, **fields)
    resource, name = request_type.split(".")
    kind = getattr(importlib.import_module(f"langfuse.api.resources.{resource}"), name)
    return method(*path, request=kind(**fields))


def traced():
    with client.start_as_current_observation(name="ask", as_type="generation", input="q", output="a") as root:
        root.update(model="gpt-4o", usage_details={"input": 10, "output": 5})
        with (
            langfuse.propagate_attributes(session_id="folder/s 1", user_id="u1"),
            client.start_as_current_observation(name="look", as_type="tool", input={"n": 1}),
        ):
            told["trace_id"] = client.get_current_trace_id()
            told["observation_id"] = client.get_current_observation_id()
    client.flush()


def score_configs():
    create = api.score_configs.create
    quality = call(
        create, "score_configs.CreateScoreConfigRequest", name="quality", data_type="NUMERIC",
        min_value=0, max_value=10, description="0 to 10",
    )  # fmt: skip
    tone = call(
        create, "score_configs.CreateScoreConfigRequest", name="tone", data_type="CATEGORICAL",
        categories=[{"label": "kind", "value": 1}, {"label": "rude", "value": 0}],
    )  # fmt: skip
    changed = call(
        api.score_configs.update, "score_configs.UpdateScoreConfigRequest", tone.id, description="How it sounds"
    )
    told["configs"] = sorted(config.name for config in api.score_configs.get().data)
    told["config"] = [changed.description, api.score_configs.get_by_id(quality.id).max_value]
    return quality, tone


def scores(quality, tone):
    subject = {"trace_id": told["trace_id"]}
    client.create_score(name="quality", value=3, config_id=quality.id, score_id="score-1", **subject)
    client.flush()
    # The same id again replaces it.
    again = {"config_id": quality.id, "score_id": "score-1", "comment": "better"}
    client.create_score(name="quality", value=7, **again, **subject)
    client.create_score(name="tone", value="kind", data_type="CATEGORICAL", config_id=tone.id, **subject)
    client.create_score(name="gone", value=1, score_id="score-gone", **subject)
    client.create_score(name="session", value=1, session_id="folder/s 1")
    if VERSION > 3:
        client.create_score(name="output", value="The better answer", data_type="CORRECTION", **subject)
    client.flush()
    (api.score if VERSION == 3 else api.scores if VERSION == 5 else api.legacy.score_v1).delete("score-gone")


def queues(quality):
    queue = call(
        api.annotation_queues.create_queue, "annotation_queues.CreateAnnotationQueueRequest",
        name="Review", description="Daily", score_config_ids=[quality.id],
    )  # fmt: skip
    items = [
        call(
            api.annotation_queues.create_queue_item, "annotation_queues.CreateAnnotationQueueItemRequest",
            queue.id, object_id=object_id, object_type=kind,
        )
        for object_id, kind in ((told["trace_id"], "TRACE"), (told["observation_id"], "OBSERVATION"))
    ]  # fmt: skip
    done = call(
        api.annotation_queues.update_queue_item, "annotation_queues.UpdateAnnotationQueueItemRequest",
        queue.id, items[0].id, status="COMPLETED",
    )  # fmt: skip
    api.annotation_queues.delete_queue_item(queue.id, items[1].id)
    told["queues"] = [queue.name for queue in api.annotation_queues.list_queues().data]
    told["queue"] = api.annotation_queues.get_queue(queue.id).score_config_ids == [quality.id]
    told["item"] = [done.status, api.annotation_queues.get_queue_item(queue.id, items[0].id).object_id]
    told["items"] = [item.id == items[0].id for item in api.annotation_queues.list_queue_items(queue.id).data]


def comments():
    made = call(
        api.comments.create, "comments.CreateCommentRequest",
        project_id=PROJECT, object_type="TRACE", object_id=told["trace_id"], content="Look at *this*.",
    )  # fmt: skip
    found = api.comments.get(object_type="TRACE", object_id=told["trace_id"]).data
    told["comments"] = [comment.content for comment in found]
    told["comment"] = api.comments.get_by_id(made.id).object_id == told["trace_id"]


def metrics():
    query = {
        "view": "observations",
        "metrics": [{"measure": "count", "aggregation": "count"}],
        "dimensions": [{"field": "name"}],
        "filters": [],
        "fromTimestamp": (datetime.now(UTC) - timedelta(hours=1)).isoformat(),
        "toTimestamp": (datetime.now(UTC) + timedelta(hours=1)).isoformat(),
    }
    endpoint = api.metrics_v_2 if VERSION == 3 else api.metrics
    rows = endpoint.metrics(query=json.dumps(query)).data
    told["metrics"] = {row["name"]: int(row["count_count"]) for row in rows}


def reads():
    if VERSION < 5:
        told["session"] = [trace.id for trace in api.sessions.get("folder/s 1").traces] == [told["trace_id"]]
        told["sessions"] = [session.id for session in api.sessions.list().data]
    else:
        rows = api.observations.get_many(session_id="folder/s 1", fields="core,basic,io").data
        told["session"] = {row.trace_id for row in rows} == {told["trace_id"]}
        told["sessions"] = sorted({row.session_id for row in rows})


def batched_evaluation():
    def mapper(*, item):
        return langfuse.EvaluatorInputs(input=item.input, output=item.output, expected_output=None, metadata={})

    def length(*, output, **kwargs):
        return Evaluation(name="length", value=len(output or ""))

    scope = {"scope": "observations"} if VERSION < 5 else {}
    of_type = [{"type": "string", "column": "name", "operator": "=", "value": "ask"}]
    result = client.run_batched_evaluation(
        mapper=mapper, evaluators=[length], filter=json.dumps(of_type), fetch_batch_size=1, **scope
    )
    told["batch"] = [result.completed, result.total_items_processed, result.total_scores_created]
    if VERSION < 5:
        result = client.run_batched_evaluation(
            scope="traces", mapper=mapper, evaluators=[length], _additional_trace_tags=["evaluated"]
        )
        told["batch_of_traces"] = [result.completed, result.total_items_processed]


def datasets():
    client.create_dataset(name="a/b c", metadata={"v": 1})
    client.create_dataset(name="a/b c", description="Again", metadata={"v": 2})
    item = client.create_dataset_item(dataset_name="a/b c", id="item-1", input={"q": 1}, expected_output="x")
    before = datetime.now(UTC)
    client.create_dataset_item(dataset_name="a/b c", id="item-1", expected_output="y")
    told["versions"] = [
        client.get_dataset("a/b c", version=version).items[0].expected_output for version in (before, None)
    ]
    told["kept"] = client.get_dataset("a/b c").items[0].input
    told["description"] = client.get_dataset("a/b c").description
    told["one_item"] = api.dataset_items.get(item.id).dataset_name
    client.create_dataset_item(dataset_name="a/b c", id="item-1", status="ARCHIVED")
    told["active"] = len(client.get_dataset("a/b c").items)
    told["deleted"] = api.dataset_items.delete("item-1").message


def prompts():
    for text in ("Hi {{name}}", "Hello {{name}}"):
        client.create_prompt(name="a/b", prompt=text, labels=["production"], commit_message=text)
    told["prompt"] = client.get_prompt("a/b").compile(name="Ada")
    told["first"] = client.get_prompt("a/b", version=1).prompt
    client.update_prompt(name="a/b", version=1, new_labels=["production"])
    told["cached"] = client.get_prompt("a/b").prompt
    client.clear_prompt_cache()
    told["moved"] = client.get_prompt("a/b").prompt
    told["fallback"] = client.get_prompt("none", fallback="Hey", max_retries=0).prompt
    told["prompts"] = [[meta.name, meta.versions] for meta in api.prompts.list().data]
    api.prompts.delete("a/b")
    told["prompts_after"] = len(api.prompts.list().data)


def deletes():
    traces = []
    for _ in range(3):
        with client.start_as_current_observation(name="unwanted"):
            traces.append(client.get_current_trace_id())
    client.flush()
    api.trace.delete(traces[0])
    api.trace.delete_multiple(trace_ids=traces[1:])
    told["unwanted"] = traces


traced()
quality, tone = score_configs()
scores(quality, tone)
queues(quality)
comments()
metrics()
reads()
batched_evaluation()
datasets()
prompts()
deletes()
client.flush()
client.shutdown()
print(json.dumps(told, default=str))

"""Runs in the SDK's own virtual environment: uses the published package as an application would.

Reads LANGFUSE_BASE_URL (and LANGFUSE_HOST), LANGFUSE_PUBLIC_KEY, LANGFUSE_SECRET_KEY; prints one JSON object.
"""

import base64
import json
from datetime import UTC, datetime

from langfuse import Evaluation, Langfuse, observe, propagate_attributes
from langfuse.media import LangfuseMedia

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
)
client = Langfuse(environment="staging", release="r1")
told = {"auth": client.auth_check()}


@observe(as_type="tool")
def lookup(order):
    return {"status": "shipped", "order": order}


@observe(name="support-agent", as_type="agent")
def trace():
    with propagate_attributes(user_id="u1", session_id="s1", tags=["beta"], metadata={"tenant": "acme"}):
        with client.start_as_current_observation(
            name="llm",
            as_type="generation",
            model="gpt-4o",
            input=[{"role": "user", "content": "Where is my order?"}],
            model_parameters={"temperature": 0.1},
        ) as generation:
            generation.update(
                output={"role": "assistant", "content": "On its way."},
                usage_details={"input": 1000, "output": 100},
                completion_start_time=datetime.now(UTC),
            )
            generation.score(name="tone", value="kind", data_type="CATEGORICAL")
        lookup("o-1")
        try:
            with client.start_as_current_observation(name="fails", as_type="retriever") as failing:
                failing.update(level="ERROR", status_message="timeout")
                raise RuntimeError("timeout")
        except RuntimeError:
            pass
        with client.start_as_current_observation(
            name="picture", input={"image": LangfuseMedia(content_bytes=PNG, content_type="image/png")}
        ):
            pass
        told["trace_id"] = client.get_current_trace_id()
    return "On its way."


def scores():
    subject = {"trace_id": told["trace_id"]}
    client.create_score(name="quality", value=0.5, data_type="NUMERIC", comment="fair", **subject)
    client.create_score(name="correct", value=1, data_type="BOOLEAN", **subject)
    client.create_score(name="note", value="Did not look at the order.", data_type="TEXT", **subject)
    client.create_score(name="satisfied", value=1.0, session_id="s1")


def datasets():
    client.create_dataset(name="folder/orders", description="Orders", metadata={"v": 1})
    for number in range(3):
        client.create_dataset_item(
            dataset_name="folder/orders", input={"q": number}, expected_output=number * 2, metadata={"n": number}
        )
    dataset = client.get_dataset("folder/orders")
    told["items"] = sorted(item.input["q"] for item in dataset.items)
    before = datetime.now(UTC)
    client.create_dataset_item(dataset_name="folder/orders", input={"q": 99}, expected_output=0)
    told["items_before"] = len(client.get_dataset("folder/orders", version=before).items)
    return dataset


def task(*, item, **kwargs):
    question = item["input"] if isinstance(item, dict) else item.input
    return question["q"] * 2


def exact(*, input, output, expected_output, **kwargs):
    return Evaluation(name="exact", value=1.0 if output == expected_output else 0.0, comment="compared")


def accuracy(*, item_results, **kwargs):
    hits = [evaluation.value for result in item_results for evaluation in result.evaluations]
    return Evaluation(name="accuracy", value=sum(hits) / len(hits))


def experiments(dataset):
    run = dataset.run_experiment(
        name="doubling", run_name="run 1", task=task, evaluators=[exact], run_evaluators=[accuracy]
    )
    told["run_items"] = len(run.item_results)
    told["dataset_run_id"] = run.dataset_run_id
    local = [{"input": {"q": number}, "expected_output": number * 2} for number in range(2)]
    result = client.run_experiment(name="local", data=local, task=task, evaluators=[exact])
    told["local_items"] = len(result.item_results)


def prompts():
    client.create_prompt(
        name="folder/greet", prompt="Hi {{name}}", labels=["production"], tags=["x"], config={"t": 1}
    )
    client.create_prompt(
        name="chat", type="chat", prompt=[{"role": "system", "content": "You are {{who}}"}], labels=["staging"]
    )
    told["prompt"] = client.get_prompt("folder/greet").compile(name="Ada")
    told["chat"] = client.get_prompt("chat", type="chat", label="staging").compile(who="kind")
    client.update_prompt(name="folder/greet", version=1, new_labels=["staging"])
    try:
        client.get_prompt("missing", max_retries=0)
    except Exception as error:
        told["missing_prompt"] = type(error).__name__


told["answer"] = trace()
scores()
dataset = datasets()
experiments(dataset)
prompts()
client.flush()
client.shutdown()
print(json.dumps(told, default=str))

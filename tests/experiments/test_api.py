"""Runs and experiments, from API calls, from spans and from both, in any order."""

import json
from datetime import UTC, datetime, timedelta
from itertools import permutations
from urllib.parse import quote

import pytest
from django.test import Client

from evalapp.experiments.actions import run_key
from tests import factories
from tests.traces.otlp import START, export, json_span

API = "/api/public"
WINDOW = {"fromStartTime": "2026-01-01T00:00:00Z"}
TRACE, TASK, ROOT = "a" * 32, "b" * 16, "c" * 16


@pytest.fixture
def api(api_key):
    return Client(headers={"Authorization": api_key.basic})


@pytest.fixture
def stranger(other_project):
    return Client(headers={"Authorization": factories.make_api_key(other_project).basic})


@pytest.fixture
def dataset(api):
    created = _post(api, "v2/datasets", {"name": "qa"})
    for number in range(2):
        body = {"datasetName": "qa", "id": f"i{number}", "input": number, "expectedOutput": f"a{number}"}
        _post(api, "dataset-items", {**body, "metadata": {"n": number}})
    return created


def _post(api, path, body, status=200):
    response = api.post(f"{API}/{path}", json.dumps(body), content_type="application/json")
    assert response.status_code == status, response.content
    return response.json() if response.content else None


def _get(api, path, status=200, **query):
    response = api.get(f"{API}/{path}", query)
    assert response.status_code == status, response.content
    return response.json()


def _run_item(api, item="i0", run="run 1", trace=TRACE, observation=TASK, status=200, **fields):
    body = {"runName": run, "datasetItemId": item, "traceId": trace, "observationId": observation, **fields}
    return _post(api, "dataset-run-items", body, status)


def _attributes(id, name="run 1", item="i0", root=TASK, **more):
    said = {"id": id, "name": name, "item.id": item, "item.root_observation_id": root, **more}
    return {f"langfuse.experiment.{key}": value for key, value in said.items() if value is not None}


def _spans(api, attributes, trace=TRACE, task=TASK, input="in", output="out", start=0):
    """Export the spans of one item as Python 5 does: a run span, its task and a child of that."""
    inner = {"langfuse.observation.input": input, "langfuse.observation.output": output}
    _post(
        api,
        "otel/v1/traces",
        export(
            json_span(attributes, trace=trace, id="d" * 16, parent=task, name="inner", start=start),
            json_span(
                {**attributes, **inner}, trace=trace, id=task, parent=ROOT, name="task", start=start, end=start + 5
            ),
            json_span(attributes, trace=trace, id=ROOT, name="run", start=start, end=start + 9),
        ),
    )


def test_the_key_of_a_run_is_what_python_5_computes():
    # printf '["langfuse-experiment-v1","proj-1","ds-1","exp ü 1"]' | sha256sum | cut -c1-16
    assert run_key("proj-1", "ds-1", "exp ü 1") == "9e36649e03bc2501"


def test_a_run_item_has_every_field_the_sdks_require(api, project, dataset):
    item = _run_item(api, runDescription="desc", metadata={"model": "m1"}, datasetVersion=None)
    assert item.pop("id")
    assert item.pop("createdAt") == item.pop("updatedAt")
    assert item == {
        "datasetRunId": run_key(project.pk, dataset["id"], "run 1"),
        "datasetRunName": "run 1",
        "datasetItemId": "i0",
        "traceId": TRACE,
        "observationId": TASK,
    }


def test_a_run_lists_its_items_newest_first(api, dataset):
    first = _run_item(api, runDescription="desc", metadata={"model": "m1"})
    second = _run_item(api, "i1", trace="e" * 32, observation=None)
    run = _get(api, "datasets/qa/runs/run%201")
    assert run.pop("datasetRunItems") == [second, first]
    assert run.pop("createdAt") <= run.pop("updatedAt")
    assert run == {
        "id": first["datasetRunId"],
        "name": "run 1",
        "description": "desc",
        "metadata": {"model": "m1"},
        "datasetId": dataset["id"],
        "datasetName": "qa",
    }
    listed = _get(api, "datasets/qa/runs")
    assert listed["meta"] == {"page": 1, "limit": 50, "totalItems": 1, "totalPages": 1}
    assert {**listed["data"][0], "createdAt": 0, "updatedAt": 0} == {**run, "createdAt": 0, "updatedAt": 0}
    page = _get(api, "dataset-run-items", datasetId=dataset["id"], runName="run 1", limit=1)
    assert page == {"data": [second], "meta": {"page": 1, "limit": 1, "totalItems": 2, "totalPages": 2}}


def test_later_items_describe_the_run_and_null_keeps(api, dataset):
    _run_item(api, runDescription="old", metadata={"a": 1})
    _run_item(api, "i1", runDescription=None, metadata={"b": 2})
    run = _get(api, "datasets/qa/runs/run%201")
    assert (run["description"], run["metadata"]) == ("old", {"b": 2})


def test_the_same_trace_runs_an_item_once_and_another_is_a_repetition(api, dataset):
    first = _run_item(api, observation=None)
    again = _run_item(api)
    assert (again["id"], again["observationId"]) == (first["id"], TASK)
    assert _run_item(api, trace="e" * 32)["id"] != first["id"]
    assert len(_get(api, "datasets/qa/runs/run%201")["datasetRunItems"]) == 2


def test_a_run_item_needs_its_item_and_a_trace(api, dataset):
    assert _run_item(api, "nope", status=404)["error"] == "LangfuseNotFoundError"
    _run_item(api, trace=None, observation=None, status=400)
    _run_item(api, trace=None, observation="unknown", status=404)
    _run_item(api, run=None, status=400)


def test_the_event_batch_of_the_older_sdks_holds_run_items(api, project, dataset):
    def event(id, type="dataset-run-item-create", /, **body):
        return {"id": id, "type": type, "timestamp": "2026-11-21T10:00:00Z", "body": body}

    batch = [
        event("1", runName="run 1", datasetItemId="i0", traceId=TRACE, observationId=TASK, metadata={"m": 1}),
        event("2", runName="run 1", datasetItemId="gone", traceId=TRACE),
        event("3", runName="run 1", datasetItemId="i1"),
        event("4", datasetItemId="i1", traceId=TRACE),
        # The span that it names is in the same batch.
        event("5", runName="run 1", datasetItemId="i1", observationId="o" * 16),
        event("6", "span-create", id="o" * 16, traceId="e" * 32),
    ]
    for _ in range(2):  # sent again, it changes nothing
        answer = _post(api, "ingestion", {"batch": batch}, 207)
        assert [success["id"] for success in answer["successes"]] == ["1", "5", "6"]
        errors = {error["id"]: (error["status"], error["error"]) for error in answer["errors"]}
        assert errors == {
            "2": (404, "LangfuseNotFoundError"),
            "3": (400, "InvalidRequestError"),
            "4": (400, "InvalidRequestError"),
        }
        run = _get(api, "datasets/qa/runs/run%201")
        assert (run["id"], run["metadata"]) == (run_key(project.pk, dataset["id"], "run 1"), {"m": 1})
        items = [(item["datasetItemId"], item["traceId"]) for item in run["datasetRunItems"]]
        assert items == [("i1", "e" * 32), ("i0", TRACE)]
    only_public = Client(headers={"Authorization": f"Bearer {project.api_keys.get().public_key}"})
    _post(only_public, "ingestion", {"batch": batch[:1]}, 403)


def test_an_observation_alone_leads_to_its_trace(api, project, dataset):
    trace = factories.make_trace(project)
    assert _run_item(api, trace=None, observation=trace.root_observation_id)["traceId"] == trace.id


def test_a_version_finds_items_that_are_gone_since(api, dataset):
    version = _get(api, "dataset-items/i0")["version"]
    api.delete(f"{API}/dataset-items/i0")
    _run_item(api, status=404)
    assert _run_item(api, datasetVersion=version)["datasetItemId"] == "i0"
    item = _get(api, "experiment-items", **WINDOW)["data"][0]
    assert item["experimentItemVersion"] == version


@pytest.mark.parametrize("read_before", [True, False])
def test_a_deleted_item_takes_its_turns_with_it(api, project, dataset, other_project, stranger, read_before):
    def turns():
        return [item["datasetItemId"] for item in _get(api, "datasets/qa/runs/run%201")["datasetRunItems"]]

    _post(stranger, "v2/datasets", {"name": "qa"})
    _post(stranger, "dataset-items", {"datasetName": "qa", "id": "i0", "input": 1})
    _run_item(stranger)
    _run_item(api)
    _run_item(api, "i1", trace="e" * 32)
    # A turn that only spans tell of, and an experiment on local data whose item happens to have that id.
    attributes = _attributes(run_key(project.pk, dataset["id"], "run 1"), dataset_id=dataset["id"])
    _spans(api, attributes, trace="f" * 32)
    _spans(api, _attributes("local", "local"), trace="9" * 32)
    if read_before:
        assert sorted(turns()) == ["i0", "i0", "i1"]
    assert api.delete(f"{API}/dataset-items/i0").status_code == 200
    for _ in range(2):  # the newest spans are read again
        assert turns() == ["i1"]
    assert project.dataset_run_items.filter(run__key="local").count() == 1
    assert other_project.dataset_run_items.count() == 1
    # The item anew, and it runs again.
    _post(api, "dataset-items", {"datasetName": "qa", "id": "i0", "input": 2})
    _spans(api, attributes, trace="7" * 32)
    assert sorted(turns()) == ["i0", "i1"]


@pytest.mark.parametrize("name", ["a/b", "x/runs/y", "50% ü?&", "runs", "q/runs"])
@pytest.mark.parametrize("run", ["run 1", "a/b", "x/runs/y", "runs", "7%2F ü"])
def test_runs_are_found_whatever_slashes_their_names_hold(api, name, run):
    _post(api, "v2/datasets", {"name": name})
    _post(api, "dataset-items", {"datasetName": name, "id": "i", "input": 1})
    _run_item(api, "i", run=run)
    path = f"datasets/{quote(name, safe='')}/runs"
    assert _get(api, f"{path}/{quote(run, safe='')}")["name"] == run
    assert [row["name"] for row in _get(api, path)["data"]] == [run]
    assert _get(api, f"datasets/{quote(name, safe='')}")["runs"] == [run]


def test_the_raw_path_decides_where_the_server_hands_it_on(api):
    for name in ("a", "a/runs/b"):
        _post(api, "v2/datasets", {"name": name})
        _post(api, "dataset-items", {"datasetName": name, "id": name, "input": 1})
    _run_item(api, "a", run="b/runs/c")
    _run_item(api, "a/runs/b", run="c")
    for raw, name in (("a/runs/b%2Fruns%2Fc", "a"), ("a%2Fruns%2Fb/runs/c", "a/runs/b")):
        found = api.get(f"{API}/datasets/{raw}", RAW_URI=f"{API}/datasets/{raw}?x=1").json()
        assert found["datasetName"] == name


def test_a_missing_run_is_404(api, dataset):
    for path in ("datasets/nope", "datasets/nope/runs", "datasets/nope/runs/x", "datasets/qa/runs/x"):
        assert _get(api, path, 404)["error"] == "LangfuseNotFoundError"
    assert api.delete(f"{API}/datasets/qa/runs/x").status_code == 404
    assert api.delete(f"{API}/datasets/qa").status_code == 405
    _get(api, "dataset-run-items", 404, datasetId=dataset["id"], runName="x")
    _get(api, "dataset-run-items", 400, datasetId=dataset["id"])


def test_the_old_dataset_paths_hold_items_and_runs(api, dataset):
    _run_item(api)
    assert [item["id"] for item in _get(api, "datasets/qa")["items"]] == ["i1", "i0"]
    listed = _get(api, "datasets")["data"][0]
    assert (listed["items"], listed["runs"]) == (["i1", "i0"], ["run 1"])
    created = _post(api, "datasets", {"name": "new"})
    assert (created["name"], created["items"], created["runs"]) == ("new", [], [])


def test_spans_alone_make_an_experiment(api, project):
    _spans(
        api,
        _attributes(
            "e2a209c1ffe83612",
            "local exp",
            item="2d711642b726b044",
            **{
                "description": "d",
                "metadata": '{"m": 1}',
                "item.expected_output": "y",
                "item.metadata": '{"z": 1}',
            },
        ),
        input='{"q": 1}',
    )
    window = _get(api, "experiments", fields="core,metadata,scores", **WINDOW)
    start = datetime.fromtimestamp(START // 10**9, UTC)
    experiment = {
        "id": "e2a209c1ffe83612",
        "name": "local exp",
        "description": "d",
        "startTime": _iso(start),
        "endTime": _iso(start + timedelta(seconds=5)),
        "itemCount": 1,
        "datasetId": None,
        "metadata": {"m": 1},
        "scores": [],
    }
    assert window == {"data": [experiment], "meta": {"limit": 50}}
    groups = "core,dataset,io,itemMetadata,experimentMetadata,scores"
    assert _get(api, "experiment-items", fields=groups, **WINDOW)["data"] == [
        {
            "id": TASK,
            "traceId": TRACE,
            "startTime": _iso(start),
            "endTime": _iso(start + timedelta(seconds=5)),
            "level": "DEFAULT",
            "environment": "default",
            "experimentId": "e2a209c1ffe83612",
            "experimentName": "local exp",
            "experimentItemId": "2d711642b726b044",
            "experimentDatasetId": None,
            "experimentItemVersion": None,
            "input": {"q": 1},
            "output": "out",
            "expectedOutput": "y",
            "experimentItemMetadata": {"z": 1},
            "experimentMetadata": {"m": 1},
            "experimentDescription": "d",
            "scores": [],
        }
    ]


def _iso(moment):
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_python_4_sends_each_key_of_the_metadata_by_itself(api):
    flat = {"metadata.model": "m1", "metadata.n": "1", "item.metadata.i": "0"}
    _spans(api, _attributes("x", **flat))
    item = _get(api, "experiment-items", fields="experimentMetadata,itemMetadata", **WINDOW)["data"][0]
    assert item["experimentMetadata"] == {"model": "m1", "n": 1}
    assert item["experimentItemMetadata"] == {"i": 0}


def test_python_3_and_javascript_name_the_root_span(api):
    attributes = _attributes("x", root=ROOT)
    _post(api, "otel/v1/traces", export(json_span(attributes, id=ROOT, name="experiment-item-run")))
    assert [item["id"] for item in _get(api, "experiment-items", **WINDOW)["data"]] == [ROOT]


@pytest.mark.parametrize("order", list(permutations(["call", "spans", "read"])))
def test_a_call_and_its_spans_are_one_item_in_any_order(api, project, dataset, order):
    key = run_key(project.pk, dataset["id"], "run 1")
    attributes = _attributes(key, **{"dataset.id": dataset["id"], "item.expected_output": "a0"})
    for step in order:
        if step == "call":
            _run_item(api, runDescription="desc")
        elif step == "spans":
            _spans(api, attributes)
        else:
            _get(api, "experiments", **WINDOW)
    run = _get(api, "datasets/qa/runs/run%201")
    assert (run["id"], run["description"], len(run["datasetRunItems"])) == (key, "desc", 1)
    items = _get(api, "experiment-items", fields="core,dataset,io", **WINDOW)["data"]
    assert [(item["id"], item["experimentDatasetId"], item["output"]) for item in items] == [
        (TASK, dataset["id"], "out")
    ]
    assert items[0]["expectedOutput"] == "a0"


def test_spans_over_a_dataset_record_the_state_of_the_item_that_ran(api, dataset):
    before = _post(api, "dataset-items", {"datasetName": "qa", "id": "i0", "input": "changed"})
    start = (datetime.now(UTC) - datetime.fromtimestamp(START // 10**9, UTC)).total_seconds()
    _post(api, "dataset-items", {"datasetName": "qa", "id": "i0", "input": "changed again"})
    _spans(api, _attributes("x", **{"dataset.id": dataset["id"]}), start=start)
    item = _get(api, "experiment-items", **WINDOW)["data"][0]
    assert item["experimentItemVersion"] == before["version"]


def test_spans_sent_again_change_nothing_and_add_nothing(api):
    for _ in range(2):
        _spans(api, _attributes("x"))
        assert [row["itemCount"] for row in _get(api, "experiments", **WINDOW)["data"]] == [1]


def test_a_deleted_run_stays_deleted_until_it_runs_again(api, project, dataset):
    key = run_key(project.pk, dataset["id"], "run 1")
    attributes = _attributes(key, **{"dataset.id": dataset["id"]})
    _spans(api, attributes)
    deleted = api.delete(f"{API}/datasets/qa/runs/run%201")
    assert deleted.json() == {"message": "Dataset run successfully deleted"}
    _get(api, "datasets/qa/runs/run%201", 404)
    assert _get(api, "experiments", **WINDOW)["data"] == []
    _spans(api, attributes, trace="e" * 32)
    assert [row["itemCount"] for row in _get(api, "experiments", **WINDOW)["data"]] == [1]


def test_a_link_by_the_api_shows_the_trace_that_it_names(api, project, dataset):
    trace = factories.make_trace(project, root_input='{"q": 1}', root_output="answer")
    _run_item(api, trace=trace.id, observation=None)
    item = _get(api, "experiment-items", fields="core,io", **WINDOW)["data"][0]
    assert (item["id"], item["input"], item["output"]) == (trace.root_observation_id, {"q": 1}, "answer")
    assert (item["expectedOutput"], item["experimentItemId"]) == ("a0", "i0")


def test_scores_of_the_run_its_items_and_their_traces_are_shown(api, project):
    _spans(api, _attributes("x"))
    factories.make_score(project, id="run", dataset_run_id="x", name="avg", value=0.5)
    factories.make_score(project, id="task", trace_id=TRACE, observation_id=TASK, name="exact", value=1)
    factories.make_score(project, id="trace", trace_id=TRACE, name="tone", value=1)
    factories.make_score(project, id="inner", trace_id=TRACE, observation_id="d" * 16, name="no", value=1)
    experiment = _get(api, "experiments", fields="scores", **WINDOW)["data"][0]
    assert [(score["id"], score["subject"]) for score in experiment["scores"]] == [
        ("run", {"kind": "experiment", "id": "x"})
    ]
    item = _get(api, "experiment-items", fields="scores", **WINDOW)["data"][0]
    assert {score["id"] for score in item["scores"]} == {"task", "trace"}
    fewer = _get(api, "experiment-items", fields="scores", scoreLimit=1, **WINDOW)["data"][0]
    assert len(fewer["scores"]) == 1


def test_cursors_walk_through_all_experiments_and_items_once(api):
    for number in range(5):
        key = f"x{number % 3}"
        _spans(api, _attributes(key, name=key, item=f"i{number}"), trace=f"{number + 1:032x}", start=number % 2)
    for path, expected in (("experiments", 3), ("experiment-items", 5)):
        seen, cursor = [], {}
        while cursor is not None:
            page = _get(api, path, limit=2, **WINDOW, **cursor)
            seen += [(row["id"], row.get("traceId")) for row in page["data"]]
            cursor = {"cursor": page["meta"]["cursor"]} if "cursor" in page["meta"] else None
        assert len(seen) == len(set(seen)) == expected


def test_filters_and_windows_narrow(api, project, dataset):
    key = run_key(project.pk, dataset["id"], "run 1")
    _spans(api, _attributes(key, **{"dataset.id": dataset["id"]}))
    _spans(api, _attributes("x", name="other", item="i9"), trace="e" * 32, start=3600)

    def names(**query):
        return {row["name"] for row in _get(api, "experiments", **{**WINDOW, **query})["data"]}

    def items(**query):
        return {row["experimentItemId"] for row in _get(api, "experiment-items", **{**WINDOW, **query})["data"]}

    later = _iso(datetime.fromtimestamp(START // 10**9 + 60, UTC))
    assert names() == {"run 1", "other"}
    assert names(id=f"x,{key}") == {"run 1", "other"}
    assert names(name="other") == names(fromStartTime=later) == {"other"}
    assert names(datasetId=dataset["id"]) == names(toStartTime=later) == {"run 1"}
    assert items(experimentId="x") == items(experimentName="other") == items(fromStartTime=later) == {"i9"}
    assert items(experimentItemId="i0") == items(datasetId=dataset["id"]) == items(toStartTime=later) == {"i0"}
    condition = {"type": "string", "column": "name", "operator": "contains", "value": "the"}
    assert names(filter=json.dumps([condition])) == {"other"}
    condition = {"type": "stringOptions", "column": "experimentId", "operator": "none of", "value": ["x"]}
    assert items(filter=json.dumps([condition])) == {"i0"}


@pytest.mark.parametrize(
    "query",
    [
        {"fromStartTime": ""},
        {"fromStartTime": "x"},
        {"limit": 101},
        {"scoreLimit": 51},
        {"fields": "core,nonsense"},
        {"cursor": "nonsense"},
        {"cursor": "WzEsMl0"},
        {"filter": "{"},
        {"filter": "[5]"},
        {"filter": '[{"column": "id"}]'},
        {"filter": '[{"column": ["id"], "type": "string", "operator": "=", "value": "x"}]'},
    ],
)
def test_queries_that_make_no_sense_are_400(api, query):
    for path in ("experiments", "experiment-items"):
        _get(api, path, 400, **{**WINDOW, **query})


def test_hostile_attributes_neither_fail_the_export_nor_the_reading(api):
    strange = {"metadata": "[1]", "item.metadata": "\x00", "item.version": "never", "dataset.id": "\x00"}
    _spans(api, _attributes("x\x00" * 300, name="\x00", item="i" * 999, **strange))
    assert len(_get(api, "experiments", fields="metadata", **WINDOW)["data"]) == 1
    assert len(_get(api, "experiment-items", fields="itemMetadata", **WINDOW)["data"]) == 1


def test_another_project_sees_and_touches_nothing(api, stranger, dataset):
    _run_item(api)
    _spans(api, _attributes("x"), trace="e" * 32)
    for path in ("datasets/qa", "datasets/qa/runs", "datasets/qa/runs/run%201"):
        _get(stranger, path, 404)
    assert stranger.delete(f"{API}/datasets/qa/runs/run%201").status_code == 404
    _get(stranger, "dataset-run-items", 404, datasetId=dataset["id"], runName="run 1")
    _run_item(stranger, status=404)
    for path in ("experiments", "experiment-items"):
        assert _get(stranger, path, **WINDOW)["data"] == []
    # The same experiment id in another project is another experiment; a foreign dataset is not attached to it.
    _spans(stranger, _attributes("x", **{"dataset.id": dataset["id"]}))
    assert [row["datasetId"] for row in _get(stranger, "experiments", **WINDOW)["data"]] == [None]
    assert len(_get(api, "experiment-items", experimentId="x", **WINDOW)["data"]) == 1


def test_without_a_key_nothing_is_answered(client, db):
    for path in (
        "datasets",
        "datasets/x/runs",
        "dataset-run-items",
        "experiments",
        "experiment-items",
        "v3/scores",
    ):
        assert client.get(f"{API}/{path}").status_code == 401

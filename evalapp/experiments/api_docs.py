"""What the API's document says about dataset runs and experiments.

The paths below `datasets/` share one route, because names may hold slashes; `run_paths` writes them out.
"""

from copy import deepcopy

from rest_framework import serializers

from evalapp.core.api import JSONValue, Text
from evalapp.core.openapi import (
    FILTER,
    Message,
    choices_query,
    cursor_page,
    cursoring,
    document,
    number_query,
    operation,
    page,
    paging,
    text_query,
    time_query,
)
from evalapp.datasets.api import DatasetInput
from evalapp.datasets.api_docs import DATASET_EXAMPLE, NAME, DatasetItemOutput, DatasetOutput
from evalapp.experiments import api


class RunOutput(serializers.Serializer):
    """A run of a dataset."""

    id = Text()
    name = Text()
    description = Text(allow_null=True)
    metadata = JSONValue(required=True)
    datasetId = Text()
    datasetName = Text()
    createdAt = serializers.DateTimeField()
    updatedAt = serializers.DateTimeField()

    EXAMPLE = {
        "id": "5c6bd84e0f0b52a1",
        "name": "shorter prompt",
        "description": None,
        "metadata": None,
        "datasetId": "ds-1",
        "datasetName": "support/refunds",
        "createdAt": "2026-11-20T12:00:00.000Z",
        "updatedAt": "2026-11-20T12:00:00.000Z",
    }


class RunItemOutput(serializers.Serializer):
    """One item's turn in a run."""

    id = Text()
    datasetRunId = Text()
    datasetRunName = Text()
    datasetItemId = Text()
    traceId = Text()
    observationId = Text(allow_null=True)
    createdAt = serializers.DateTimeField()
    updatedAt = serializers.DateTimeField()

    EXAMPLE = {
        "id": "ri-1",
        "datasetRunId": "5c6bd84e0f0b52a1",
        "datasetRunName": "shorter prompt",
        "datasetItemId": "refund-1",
        "traceId": "4bf92f3577b34da6a3ce929d0e0e4736",
        "observationId": None,
        "createdAt": "2026-11-20T12:00:00.000Z",
        "updatedAt": "2026-11-20T12:00:00.000Z",
    }


class RunWithItemsOutput(RunOutput):
    """A run with its items."""

    datasetRunItems = RunItemOutput(many=True)

    EXAMPLE = {**RunOutput.EXAMPLE, "datasetRunItems": [RunItemOutput.EXAMPLE]}


class OldDatasetOutput(DatasetOutput):
    """A dataset with the ids of its items and the names of its runs (generation 1)."""

    items = serializers.ListField(child=Text())
    runs = serializers.ListField(child=Text())

    EXAMPLE = {**DatasetOutput.EXAMPLE, "items": ["refund-1"], "runs": ["shorter prompt"]}


class DatasetWithItemsOutput(DatasetOutput):
    """A dataset with its items and the names of its runs (generation 1)."""

    items = DatasetItemOutput(many=True)
    runs = serializers.ListField(child=Text())

    EXAMPLE = {**DatasetOutput.EXAMPLE, "items": [DatasetItemOutput.EXAMPLE], "runs": ["shorter prompt"]}


class ExperimentOutput(serializers.Serializer):
    """An experiment; `metadata` and `scores` on request."""

    id = Text()
    name = Text(allow_null=True)
    description = Text(allow_null=True)
    startTime = serializers.DateTimeField()
    endTime = serializers.DateTimeField(allow_null=True)
    itemCount = serializers.IntegerField()
    datasetId = Text(allow_null=True)
    metadata = JSONValue()
    scores = serializers.ListField(child=serializers.DictField(), required=False)

    EXAMPLE = {
        "id": "5c6bd84e0f0b52a1",
        "name": "shorter prompt",
        "description": None,
        "startTime": "2026-11-20T12:00:00.000Z",
        "endTime": "2026-11-20T12:01:00.000Z",
        "itemCount": 1,
        "datasetId": "ds-1",
    }


class ExperimentItemOutput(serializers.Serializer):
    """One item's turn in an experiment; further field groups on request."""

    id = Text()
    traceId = Text()
    startTime = serializers.DateTimeField()
    endTime = serializers.DateTimeField(allow_null=True)
    level = Text()
    environment = Text()
    experimentId = Text()
    experimentName = Text(allow_null=True)
    experimentItemId = Text()
    experimentDatasetId = Text(required=False, allow_null=True)
    experimentItemVersion = serializers.DateTimeField(required=False, allow_null=True)
    input = JSONValue()
    output = JSONValue()
    expectedOutput = JSONValue()
    metadata = JSONValue()
    experimentItemMetadata = JSONValue()
    experimentMetadata = JSONValue()
    experimentDescription = Text(required=False, allow_null=True)
    scores = serializers.ListField(child=serializers.DictField(), required=False)

    EXAMPLE = {
        "id": "00f067aa0ba902b7",
        "traceId": "4bf92f3577b34da6a3ce929d0e0e4736",
        "startTime": "2026-11-20T12:00:00.000Z",
        "endTime": "2026-11-20T12:00:02.000Z",
        "level": "DEFAULT",
        "environment": "sdk-experiment",
        "experimentId": "5c6bd84e0f0b52a1",
        "experimentName": "shorter prompt",
        "experimentItemId": "refund-1",
        "experimentDatasetId": "ds-1",
        "experimentItemVersion": None,
    }


_WINDOW = [
    time_query("fromStartTime", "Started at or after.", required=True),
    time_query("toStartTime", "Started before; by default now."),
]
_SCORE_LIMIT = number_query("scoreLimit", "Scores of each, at most.", minimum=1, maximum=50, default=50)

document(
    api.OldDatasetList,
    tag="Datasets",
    get=operation(
        "listDatasetsV1", "List datasets (generation 1)", answers=page(OldDatasetOutput), query=paging()
    ),
    post=operation(
        "createDatasetV1",
        "Create a dataset (generation 1)",
        body=DatasetInput,
        answers=OldDatasetOutput,
        example=DATASET_EXAMPLE,
    ),
)
document(
    api.DatasetOrRuns,
    tag="Experiments",
    get=operation(
        "getDatasetOrRuns",
        "Get a dataset with its items (generation 1)",
        answers={200: DatasetWithItemsOutput, 201: page(RunOutput), 202: RunWithItemsOutput},
        path=[NAME],
        query=paging(),
    ),
    delete=operation("deleteDatasetRun", "Delete a run of a dataset", answers=Message, path=[NAME]),
)
document(
    api.RunItemList,
    tag="Experiments",
    get=operation(
        "listDatasetRunItems",
        "List the items of a run",
        answers=page(RunItemOutput),
        query=[
            text_query("datasetId", "Id of the dataset.", required=True),
            text_query("runName", "Name of the run.", required=True),
            *paging(),
        ],
    ),
    post=operation(
        "createDatasetRunItem",
        "Link a trace to an item and a run",
        about="The run is made by its first item. Sent again, the same link is changed.",
        body=api.RunItemInput,
        answers=RunItemOutput,
        example={
            "runName": "shorter prompt",
            "datasetItemId": "refund-1",
            "traceId": "4bf92f3577b34da6a3ce929d0e0e4736",
        },
    ),
)
document(
    api.ExperimentList,
    tag="Experiments",
    get=operation(
        "listExperiments",
        "List experiments, the latest activity first",
        answers=cursor_page(ExperimentOutput),
        query=[
            *_WINDOW,
            *cursoring(),
            choices_query("fields", "Field groups.", ("core", "metadata", "scores")),
            text_query("id", "A comma list of ids."),
            text_query("name", "A comma list of names."),
            text_query("datasetId", "A comma list of ids of datasets."),
            _SCORE_LIMIT,
            FILTER,
        ],
    ),
)
document(
    api.ExperimentItemList,
    tag="Experiments",
    get=operation(
        "listExperimentItems",
        "List items of experiments, newest first",
        answers=cursor_page(ExperimentItemOutput),
        query=[
            *_WINDOW,
            *cursoring(),
            choices_query("fields", "Field groups.", api.ExperimentItemList.GROUPS),
            *(text_query(name, "A comma list.") for name in api.ExperimentItemList.FILTERS),
            _SCORE_LIMIT,
            FILTER,
        ],
    ),
)


def run_paths(result, generator, request, public):
    """Write out the three kinds of paths that share the route `datasets/<path:rest>`."""
    paths = result["paths"]
    shared = paths.pop("/api/public/datasets/{rest}")
    name = next(one for one in shared["get"]["parameters"] if one["name"] == "name")
    run = {
        **name,
        "name": "runName",
        "description": "Name of the run.",
        "examples": {"Example": {"value": "shorter prompt"}},
    }
    pages = [one for one in shared["get"]["parameters"] if one["in"] == "query"]
    answers = shared["get"]["responses"]

    def get(number, identifier, summary, parameters):
        described = deepcopy(shared["get"]) | {"operationId": identifier, "summary": summary}
        answer = deepcopy(answers[number]) | {"description": "Done."}
        return described | {"parameters": parameters, "responses": {"200": answer}}

    base = "/api/public/datasets/{name}"
    paths[base] = {"get": get("200", "getDatasetV1", "Get a dataset with its items (generation 1)", [name])}
    paths[f"{base}/runs"] = {
        "get": get("201", "listDatasetRuns", "List the runs of a dataset, newest first", [name, *pages])
    }
    paths[f"{base}/runs/{{runName}}"] = {
        "get": get("202", "getDatasetRun", "Get a run with its items", [name, run]),
        "delete": shared["delete"] | {"parameters": [name, run]},
    }
    return result

"""What the API's document says about datasets and their items."""

from rest_framework import serializers

from evalapp.core.api import JSONValue, Text
from evalapp.core.openapi import (
    Message,
    document,
    one_of,
    operation,
    page,
    paging,
    path_text,
    text_query,
    time_query,
)
from evalapp.datasets import api
from evalapp.datasets.models import Status

NAME = path_text("name", "Name of the dataset; it may lie in folders.", "support/refunds")
_ITEM_ID = path_text("item_id", "Id of the item.", "refund-1")


class DatasetOutput(serializers.Serializer):
    """A dataset."""

    id = Text()
    name = Text()
    description = Text(allow_null=True)
    metadata = JSONValue(required=True)
    inputSchema = JSONValue(required=True)
    expectedOutputSchema = JSONValue(required=True)
    projectId = Text()
    createdAt = serializers.DateTimeField()
    updatedAt = serializers.DateTimeField()

    EXAMPLE = {
        "id": "ds-1",
        "name": "support/refunds",
        "description": "Refunds that went wrong",
        "metadata": None,
        "inputSchema": None,
        "expectedOutputSchema": None,
        "projectId": "support-agent",
        "createdAt": "2026-11-20T12:00:00.000Z",
        "updatedAt": "2026-11-20T12:00:00.000Z",
    }


class MediaReferenceOutput(serializers.Serializer):
    """A file that a value of the item mentions."""

    field = Text()
    referenceString = Text()
    jsonPath = Text()
    media = serializers.DictField()


class DatasetItemOutput(serializers.Serializer):
    """An item of a dataset; `version` is the instant of this state of it."""

    id = Text()
    status = serializers.ChoiceField(Status.values)
    input = JSONValue(required=True)
    expectedOutput = JSONValue(required=True)
    metadata = JSONValue(required=True)
    sourceTraceId = Text(allow_null=True)
    sourceObservationId = Text(allow_null=True)
    datasetId = Text()
    datasetName = Text()
    createdAt = serializers.DateTimeField()
    updatedAt = serializers.DateTimeField()
    version = serializers.DateTimeField()
    mediaReferences = MediaReferenceOutput(many=True)

    EXAMPLE = {
        "id": "refund-1",
        "status": "ACTIVE",
        "input": {"question": "Where is my money?"},
        "expectedOutput": "It arrives within five days.",
        "metadata": None,
        "sourceTraceId": None,
        "sourceObservationId": None,
        "datasetId": "ds-1",
        "datasetName": "support/refunds",
        "createdAt": "2026-11-20T12:00:00.000Z",
        "updatedAt": "2026-11-20T12:00:00.000Z",
        "version": "2026-11-20T12:00:00.000Z",
        "mediaReferences": [],
    }


class DatasetItemsWrittenOutput(serializers.Serializer):
    """What many items became."""

    datasetId = Text()
    datasetName = Text()
    version = serializers.DateTimeField()
    count = serializers.IntegerField()
    ids = serializers.ListField(child=Text())


DATASET_EXAMPLE = {"name": "support/refunds", "description": "Refunds that went wrong"}

document(
    api.DatasetList,
    tag="Datasets",
    get=operation("listDatasets", "List datasets, newest first", answers=page(DatasetOutput), query=paging()),
    post=operation(
        "createDataset",
        "Create a dataset, or change the one of that name",
        body=api.DatasetInput,
        answers=DatasetOutput,
        example=DATASET_EXAMPLE,
    ),
)
document(
    api.DatasetDetail,
    tag="Datasets",
    get=operation("getDataset", "Get a dataset", answers=DatasetOutput, path=[NAME]),
)
document(
    api.ItemList,
    tag="Datasets",
    get=operation(
        "listDatasetItems",
        "List the active items, newest first",
        answers=page(DatasetItemOutput),
        query=[
            *paging(),
            text_query("datasetName", "Items of this dataset."),
            time_query("version", "The items as they were at this instant; needs `datasetName`."),
            text_query("sourceTraceId", "Items made from this trace."),
            text_query("sourceObservationId", "Items made from this observation."),
        ],
    ),
    post=operation(
        "writeDatasetItems",
        "Write an item, or many as one version",
        about="An item with the id of an existing one replaces what is given. `items` writes many at once.",
        body=one_of("DatasetItemOrItems", [api.NamedItemInput, api.ItemsInput]),
        answers=one_of(
            "DatasetItemOrItemsWritten", [DatasetItemOutput, DatasetItemsWrittenOutput], DatasetItemOutput.EXAMPLE
        ),
        example={
            "datasetName": "support/refunds",
            "id": "refund-1",
            "input": {"question": "Where is my money?"},
            "expectedOutput": "It arrives within five days.",
        },
    ),
)
document(
    api.ItemDetail,
    tag="Datasets",
    get=operation("getDatasetItem", "Get an item", answers=DatasetItemOutput, path=[_ITEM_ID]),
    delete=operation("deleteDatasetItem", "Delete an item", answers=Message, path=[_ITEM_ID]),
)

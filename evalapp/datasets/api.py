"""Datasets over the API, as the SDKs write and read them."""

from django.core.exceptions import ValidationError
from django.http import Http404
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from evalapp.core import payload
from evalapp.core.api import JSONValue, Text, iso, page_of, query_time
from evalapp.datasets import actions
from evalapp.datasets.media import MARK, references
from evalapp.datasets.models import Status
from evalapp.media import links


class DatasetInput(serializers.Serializer):
    """A dataset to create or change; null keeps what is stored."""

    name = Text(max_length=255)
    description = Text(required=False, allow_null=True, allow_blank=True)
    metadata = JSONValue()
    inputSchema = JSONValue()
    expectedOutputSchema = JSONValue()


class ItemInput(serializers.Serializer):
    """One item of a dataset; null keeps what is stored."""

    id = Text(required=False, allow_null=True, max_length=255)
    input = JSONValue()
    expectedOutput = JSONValue()
    metadata = JSONValue()
    sourceTraceId = Text(required=False, allow_null=True, max_length=255)
    sourceObservationId = Text(required=False, allow_null=True, max_length=255)
    status = serializers.ChoiceField(Status.values, required=False, allow_null=True)


class NamedItemInput(ItemInput):
    """One item with the dataset it goes into."""

    datasetName = Text()


class ItemsInput(serializers.Serializer):
    """Many items for one dataset, written as one version."""

    datasetName = Text()
    items = ItemInput(many=True, allow_empty=False)


def dataset_json(dataset):
    """Return a dataset in the API's shape."""
    return {
        "id": dataset.id,
        "name": dataset.name,
        "description": dataset.description,
        "metadata": _stored(dataset.metadata),
        "inputSchema": _stored(dataset.input_schema),
        "expectedOutputSchema": _stored(dataset.expected_output_schema),
        "projectId": dataset.project_id,
        "createdAt": iso(dataset.created_at),
        "updatedAt": iso(dataset.updated_at),
    }


def items_json(rows, request):
    """Return items in the API's shape. `version` is the instant of this state of the item."""
    rows = list(rows)
    media = _media_of(rows, request)
    return [
        {
            "id": row.item_id,
            "status": row.status,
            "input": _stored(row.input),
            "expectedOutput": _stored(row.expected_output),
            "metadata": _stored(row.metadata),
            "sourceTraceId": row.source_trace_id,
            "sourceObservationId": row.source_observation_id,
            "datasetId": row.dataset_id,
            "datasetName": row.dataset.name,
            "createdAt": iso(row.created_at),
            "updatedAt": iso(row.valid_from),
            "version": iso(row.valid_from),
            "mediaReferences": media.get(row.pk, []),
        }
        for row in rows
    ]


def _media_of(rows, request):
    """Return {row: its media references}, for the references whose content is here."""
    found = []
    for row in rows:
        for name, text in (
            ("input", row.input),
            ("expectedOutput", row.expected_output),
            ("metadata", row.metadata),
        ):
            if text and MARK in text:
                found += [(row.pk, name, *reference) for reference in references(payload.load(text))]
    stored = request.auth.project.media.exclude(uploaded_at=None).filter(id__in={entry[-1] for entry in found})
    media = {item.id: item for item in stored} if found else {}
    shown = {}
    for pk, field, json_path, text, media_id in found:
        if media_id in media:
            reference = {"field": field, "referenceString": text, "jsonPath": json_path}
            reference["media"] = _media_json(media[media_id], request)
            shown.setdefault(pk, []).append(reference)
    return shown


def _media_json(media, request):
    return {
        "mediaId": media.id,
        "contentType": media.content_type,
        "contentLength": media.content_length,
        "url": links.link(request, media, "get"),
        "urlExpiry": iso(links.expiry()),
    }


def find_dataset(project, name):
    """Return the project's dataset of that name. Raises Http404."""
    dataset = project.datasets.filter(name=name).first()
    if dataset is None:
        raise Http404("Dataset not found")
    dataset.project = project
    return dataset


class DatasetList(APIView):
    """GET lists datasets, newest first; POST creates one or changes the one of that name."""

    def get(self, request):
        datasets = request.auth.project.datasets.order_by("-created_at", "id")
        return page_of(datasets, request, lambda rows: [dataset_json(row) for row in rows])

    def post(self, request):
        data = DatasetInput(data=request.data)
        data.is_valid(raise_exception=True)
        values = data.validated_data
        dataset = actions.upsert_dataset(
            project=request.auth.project,
            name=values["name"],
            description=values.get("description"),
            metadata=values.get("metadata"),
            input_schema=values.get("inputSchema"),
            expected_output_schema=values.get("expectedOutputSchema"),
        )
        return Response(dataset_json(dataset))


class DatasetDetail(APIView):
    """One dataset by name."""

    def get(self, request, name):
        return Response(dataset_json(find_dataset(request.auth.project, name)))


class ItemList(APIView):
    """GET lists the active items, now or at `?version=`; POST writes one item or, as {"items": […]}, many."""

    def get(self, request):
        params = request.query_params
        project = request.auth.project
        items = project.dataset_items
        dataset, version = None, query_time(request, "version")
        if name := params.get("datasetName"):
            dataset = find_dataset(project, name)
            items = dataset.items
        elif version is not None:
            raise ValidationError({"version": "A version is that of one dataset: send its datasetName too."})
        if version is None:
            items = items.current()
        else:
            actions.await_writers(dataset=dataset, version=version)
            items = items.at(version)
        for parameter, field in (
            ("sourceTraceId", "source_trace_id"),
            ("sourceObservationId", "source_observation_id"),
        ):
            if params.get(parameter):
                items = items.filter(**{field: params[parameter]})
        return page_of(
            items.active().newest_first().select_related("dataset"),
            request,
            lambda rows: items_json(rows, request),
        )

    def post(self, request):
        if isinstance(request.data, dict) and "items" in request.data:
            return self._post_many(request)
        data = NamedItemInput(data=request.data)
        data.is_valid(raise_exception=True)
        dataset = find_dataset(request.auth.project, data.validated_data["datasetName"])
        try:
            rows = actions.upsert_items(dataset=dataset, items=[_fields(data.validated_data)])
        except actions.ItemFaults as error:
            issues = [{**issue, "path": issue["path"][2:]} for issue in error.issues]
            raise actions.ItemFaults(issues) from error
        return Response(items_json(rows, request)[0])

    def _post_many(self, request):
        data = ItemsInput(data=request.data)
        data.is_valid(raise_exception=True)
        dataset = find_dataset(request.auth.project, data.validated_data["datasetName"])
        rows = actions.upsert_items(
            dataset=dataset, items=[_fields(item) for item in data.validated_data["items"]]
        )
        return Response(
            {
                "datasetId": dataset.id,
                "datasetName": dataset.name,
                "version": iso(rows[0].valid_from),
                "count": len(rows),
                "ids": [row.item_id for row in rows],
            }
        )


class ItemDetail(APIView):
    """One item as it is now."""

    def get(self, request, item_id):
        return Response(items_json([_find_item(request, item_id)], request)[0])

    def delete(self, request, item_id):
        if not actions.delete_item(item=_find_item(request, item_id)):
            raise Http404("Dataset item not found")
        return Response({"message": "Dataset item successfully deleted"})


def _find_item(request, item_id):
    items = request.auth.project.dataset_items.current().select_related("dataset")
    item = items.filter(item_id=item_id).first()
    if item is None:
        raise Http404("Dataset item not found")
    return item


def _fields(item):
    return {
        "item_id": item.get("id"),
        "input": item.get("input"),
        "expected_output": item.get("expectedOutput"),
        "metadata": item.get("metadata"),
        "source_trace_id": item.get("sourceTraceId"),
        "source_observation_id": item.get("sourceObservationId"),
        "status": item.get("status"),
    }


def _stored(text):
    return None if text is None else payload.Stored(text)

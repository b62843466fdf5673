"""Media over the API, as the SDKs' background uploaders use it."""

from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from evalapp.core.api import iso
from evalapp.media import actions, links


class MediaInput(serializers.Serializer):
    """A file that is about to be uploaded, and where it belongs."""

    contentType = serializers.CharField(max_length=255)
    contentLength = serializers.IntegerField(min_value=1)
    sha256Hash = serializers.CharField(max_length=44)
    field = serializers.ChoiceField(actions.FIELDS)
    traceId = serializers.CharField(max_length=255, required=False, allow_null=True)
    observationId = serializers.CharField(max_length=255, required=False, allow_null=True)
    datasetId = serializers.CharField(max_length=255, required=False, allow_null=True)
    datasetItemId = serializers.CharField(max_length=255, required=False, allow_null=True)

    def validate(self, values):
        if not values.get("traceId") and not values.get("datasetItemId"):
            raise serializers.ValidationError({"traceId": "Send a traceId, or a datasetId and datasetItemId."})
        return values


class MediaOutcome(serializers.Serializer):
    """How the upload went, by the client's account."""

    uploadedAt = serializers.DateTimeField()
    uploadHttpStatus = serializers.IntegerField()
    uploadHttpError = serializers.CharField(required=False, allow_null=True, allow_blank=True)
    uploadTimeMs = serializers.IntegerField(required=False, allow_null=True)


class MediaList(APIView):
    """POST announces a file; the answer says where to PUT it, or null when its content is already here."""

    rate_limit = "ingestion"

    def post(self, request):
        data = MediaInput(data=request.data)
        data.is_valid(raise_exception=True)
        values = data.validated_data
        media = actions.announce(
            project=request.auth.project,
            content_type=values["contentType"],
            content_length=values["contentLength"],
            sha256=values["sha256Hash"],
            field=values["field"],
            trace_id=values.get("traceId") or "",
            observation_id=values.get("observationId") or "",
            dataset_id=values.get("datasetId") or "",
            dataset_item_id=values.get("datasetItemId") or "",
        )
        url = None if media.uploaded_at else links.link(request, media, "put")
        return Response({"mediaId": media.id, "uploadUrl": url}, status=201)


class MediaDetail(APIView):
    """GET tells where to fetch a file; PATCH notes how its upload went."""

    rate_limit = "ingestion"

    def get(self, request, media_id):
        media = get_object_or_404(request.auth.project.media.exclude(uploaded_at=None), id=media_id)
        return Response(media_json(request, media))

    def patch(self, request, media_id):
        media = get_object_or_404(request.auth.project.media, id=media_id)
        data = MediaOutcome(data=request.data)
        data.is_valid(raise_exception=True)
        values = data.validated_data
        if not 200 <= values["uploadHttpStatus"] < 300:
            error = f"{values['uploadHttpStatus']} {values.get('uploadHttpError') or ''}"
            actions.note_outcome(media=media, error=error)
        return Response(status=204)


def media_json(request, media):
    """Return the API's shape of an uploaded file, with a link that works for an hour."""
    return {
        "mediaId": media.id,
        "contentType": media.content_type,
        "contentLength": media.content_length,
        "uploadedAt": iso(media.uploaded_at),
        "url": links.link(request, media, "get"),
        "urlExpiry": iso(links.expiry()),
    }

"""What the API's document says about media."""

from rest_framework import serializers

from evalapp.core.openapi import document, operation, path_text
from evalapp.media import api

_ID = path_text("media_id", "Id of the file.", "zQwFkTq3mYxW8nRb2LsD7a")


class MediaOutput(serializers.Serializer):
    """An uploaded file and where to fetch it, for an hour."""

    mediaId = serializers.CharField()
    contentType = serializers.CharField()
    contentLength = serializers.IntegerField()
    uploadedAt = serializers.DateTimeField()
    url = serializers.CharField()
    urlExpiry = serializers.DateTimeField()

    EXAMPLE = {
        "mediaId": "zQwFkTq3mYxW8nRb2LsD7a",
        "contentType": "image/png",
        "contentLength": 5120,
        "uploadedAt": "2026-11-20T12:00:00.000Z",
        "url": "https://evalapp.example/api/public/media/content/…",
        "urlExpiry": "2026-11-20T13:00:00.000Z",
    }


class UploadOutput(serializers.Serializer):
    """Where to PUT the file; null when its content is already here."""

    mediaId = serializers.CharField()
    uploadUrl = serializers.CharField(allow_null=True)

    EXAMPLE = {
        "mediaId": "zQwFkTq3mYxW8nRb2LsD7a",
        "uploadUrl": "https://evalapp.example/api/public/media/content/…",
    }


document(
    api.MediaList,
    tag="Media",
    post=operation(
        "announceMedia",
        "Announce a file and learn where to upload it",
        about="PUT the file to `uploadUrl` with the announced Content-Type. A file of the same hash is kept once.",
        body=api.MediaInput,
        answers={201: UploadOutput},
        example={
            "contentType": "image/png",
            "contentLength": 5120,
            "sha256Hash": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
            "field": "input",
            "traceId": "4bf92f3577b34da6a3ce929d0e0e4736",
        },
    ),
)
document(
    api.MediaDetail,
    tag="Media",
    get=operation("getMedia", "Get a link to a file", answers=MediaOutput, path=[_ID]),
    patch=operation(
        "reportMediaUpload",
        "Report how an upload went",
        body=api.MediaOutcome,
        answers={204: None},
        path=[_ID],
        example={"uploadedAt": "2026-11-20T12:00:00Z", "uploadHttpStatus": 200, "uploadTimeMs": 40},
    ),
)

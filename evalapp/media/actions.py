"""Announce, receive and open media."""

import base64
import hashlib
import re
import tempfile

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils.timezone import now

from evalapp.media.models import Media, MediaUse

_TYPE = re.compile(r"[a-z]+/[a-z0-9][a-z0-9.+-]*")
_FAMILIES = {"image", "audio", "video", "text", "application"}
FIELDS = ("input", "output", "metadata", "expectedOutput")
_CHUNK = 1024 * 1024


@transaction.atomic
def announce(*, project, content_type, content_length, sha256, field, **subject):
    """Note a content and where it is used, and return its Media row; `uploaded_at` tells whether it is there.

    `sha256` is base 64; `subject` names trace_id and observation_id, or dataset_id and dataset_item_id.
    Raises ValidationError naming the field.
    """
    content_type = content_type.split(";")[0].strip().lower()
    if not _TYPE.fullmatch(content_type) or content_type.split("/")[0] not in _FAMILIES:
        raise ValidationError(
            {"contentType": f"{content_type!r} is not an image, audio, video, text or document type."}
        )
    if not 0 < content_length <= settings.MEDIA_MAX_BYTES:
        raise ValidationError({"contentLength": f"A file has 1 to {settings.MEDIA_MAX_BYTES} bytes."})
    if field not in FIELDS:
        raise ValidationError({"field": f"{field!r} is none of {', '.join(FIELDS)}."})
    media, created = Media.objects.get_or_create(
        project=project,
        id=media_id(sha256),
        defaults={"sha256": sha256, "content_type": content_type, "content_length": content_length},
    )
    if not created and media.uploaded_at is None:
        # An earlier announcement whose upload never came may have been wrong about the type or the size.
        media.content_type, media.content_length = content_type, content_length
        media.save(update_fields=["content_type", "content_length"])
    MediaUse.objects.bulk_create(
        [MediaUse(project=project, media_id=media.id, field=field, **subject)], ignore_conflicts=True
    )
    return media


def media_id(sha256):
    """Return the id that the SDKs derive from a base-64 SHA-256: its first 22 characters, safe for URLs.

    Raises ValidationError when it is no SHA-256.
    """
    try:
        if len(base64.b64decode(sha256, validate=True)) != 32:
            raise ValueError
    except ValueError as error:
        raise ValidationError({"sha256Hash": f"{sha256!r} is not a SHA-256 in base 64."}) from error
    return sha256[:22].replace("+", "-").replace("/", "_")


def receive(*, media, stream):
    """Store the content that `stream` yields. Raises ValidationError when it is not what was announced.

    The content is checked in a temporary file first: what fails the check is never in the storage.
    """
    digest, size = hashlib.sha256(), 0
    with tempfile.TemporaryFile() as file:
        while chunk := stream.read(_CHUNK):
            size += len(chunk)
            if size > media.content_length:
                break
            digest.update(chunk)
            file.write(chunk)
        if size != media.content_length:
            raise ValidationError(
                {"body": f"{media.content_length} bytes were announced; these are {size} or more."}
            )
        if base64.b64encode(digest.digest()).decode() != media.sha256:
            raise ValidationError({"body": "The content does not have the announced SHA-256."})
        file.seek(0)
        if not default_storage.exists(media.storage_name):
            default_storage.save(media.storage_name, File(file))
    known = Media.objects.filter(project_id=media.project_id, id=media.id)
    if not known.update(uploaded_at=now(), upload_error=""):
        default_storage.delete(media.storage_name)  # the project was deleted while this was on its way


def delete_orphans(*, project_id):
    """Delete the project's stored files that have no row, one a step, and yield their names."""
    try:
        names = default_storage.listdir(project_id)[1]
    except FileNotFoundError:
        return
    known = set(Media.objects.filter(project_id=project_id).values_list("id", flat=True))
    for name in names:
        if name not in known:
            default_storage.delete(f"{project_id}/{name}")
            yield name
    if not known:
        default_storage.delete(project_id)  # the folder, where the storage has such a thing


def note_outcome(*, media, error):
    """Keep what the client says about a failed upload; success is what `receive` has seen."""
    if error and media.uploaded_at is None:
        Media.objects.filter(project_id=media.project_id, id=media.id).update(upload_error=error[:1000])

"""Self-authorising addresses: SDKs upload and fetch content without an API key, as with a presigned URL."""

from datetime import timedelta

from django.core import signing
from django.urls import reverse
from django.utils.timezone import now

VALID_FOR = timedelta(hours=1)
_SALT = "evalapp.media"


def link(request, media, verb):
    """Return an absolute URL that may `verb` ("put" or "get") this content until it expires."""
    token = signing.dumps([media.project_id, media.id, verb], salt=_SALT)
    return request.build_absolute_uri(reverse("media_content", args=[token]))


def opened(token, verb):
    """Return (project id, media id) of a valid token for `verb`, or None."""
    try:
        project_id, media_id, allowed = signing.loads(token, salt=_SALT, max_age=VALID_FOR)
    except signing.BadSignature:
        return None
    return (project_id, media_id) if allowed == verb else None


def expiry():
    """Return when a link made now ends."""
    return now() + VALID_FOR

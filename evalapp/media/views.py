"""Content in and out. A hostile file stays harmless: it is never shown as a page of this host."""

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from evalapp.core.errors import error_body
from evalapp.media import actions, links
from evalapp.media.models import Media
from evalapp.projects.access import requires

# What a browser draws without running anything. SVG is a document with scripts, so it is only offered to save.
_INLINE = {"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"}
_INLINE_FAMILIES = ("audio/", "video/")


@csrf_exempt
@login_not_required
@require_http_methods(["GET", "HEAD", "PUT"])
def media_content(request, token):
    """PUT or GET the content that a signed link names."""
    verb = "put" if request.method == "PUT" else "get"
    found = links.opened(token, verb)
    if found is None:
        return JsonResponse(error_body("The link has expired. Ask for a new one.", "ForbiddenError"), status=403)
    media = get_object_or_404(Media, project_id=found[0], id=found[1])
    if verb == "get":
        return _content(media)
    try:
        actions.receive(media=media, stream=request)
    except ValidationError as error:
        message = " ".join(error.messages)
        return JsonResponse(error_body(message, "InvalidRequestError"), status=400)
    return HttpResponse(status=200)


@require_safe
@requires("project.read")
def media_show(request, project_id, media_id):
    """Show or save one content of the project."""
    return _content(get_object_or_404(request.project.media, id=media_id))


def _content(media):
    if media.uploaded_at is None:
        raise Http404("The content has not been uploaded.")
    inline = media.content_type in _INLINE or media.content_type.startswith(_INLINE_FAMILIES)
    response = FileResponse(
        default_storage.open(media.storage_name),
        as_attachment=not inline,
        filename=f"{media.id}.{media.content_type.split('/')[1].split('+')[0]}",
        content_type=media.content_type if inline else "application/octet-stream",
    )
    response["Cache-Control"] = "private, max-age=31536000, immutable"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response._csp_replace = {"default-src": ["'none'"], "sandbox": True}
    return response

"""The keys of the project's programs."""

from django.conf import settings
from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from evalapp.core.htmx import render_fragment
from evalapp.projects import actions
from evalapp.projects.access import requires
from evalapp.projects.forms import ApiKeyForm
from evalapp.projects.keys import basic_token


def _keys_page(request, *, status=200, **extra):
    keys = request.project.api_keys.active().select_related("created_by").order_by("-created_at")
    context = {"keys": keys, "form": ApiKeyForm(), "base_url": settings.BASE_URL, **extra}
    return render_fragment(request, "projects/api_key_list.html", context, fragment="keys", status=status)


@require_GET
@requires("settings.read")
def api_key_list(request, project_id):
    """The keys in use, and how to use one."""
    return _keys_page(request)


@never_cache
@require_POST
@requires("settings.manage")
def api_key_create(request, project_id):
    """Make a key; this answer is the only place where its secret is ever shown."""
    form = ApiKeyForm(request.POST)
    if not form.is_valid():
        return _keys_page(request, form=form, status=422)
    key, secret = actions.create_api_key(project=request.project, by=request.user, **form.cleaned_data)
    return _keys_page(request, created=key, secret=secret, basic=basic_token(key.public_key, secret))


@require_POST
@requires("settings.manage")
def api_key_revoke(request, project_id, pk):
    """Refuse the key from now on."""
    key = get_object_or_404(request.project.api_keys.active(), pk=pk)
    actions.revoke_api_key(key=key, by=request.user)
    messages.success(request, f"The key {key.public_key} is revoked. Programs that use it get 401 from now on.")
    return redirect("projects:api_key_list", project_id)

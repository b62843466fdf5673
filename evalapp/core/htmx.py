"""Pages and their fragments."""

from django.shortcuts import render
from django.utils.cache import patch_vary_headers


def wants_fragment(request):
    """Whether htmx asked for a swap.

    A boosted link and a history restore need the whole page, although htmx sends its header there too.
    """
    return bool(request.htmx) and not (request.htmx.boosted or request.htmx.history_restore_request)


def render_fragment(request, template, context=None, *, fragment, status=200):
    """Render the page, or only its named fragment when htmx asked for a swap."""
    name = f"{template}#{fragment}" if wants_fragment(request) else template
    response = render(request, name, context, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response

"""The OpenAPI document of the public API, as JSON for programs and as a page for people."""

from functools import cache

from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator

import annotation.api_docs
import evalapp.comments.api_docs
import evalapp.datasets.api_docs
import evalapp.experiments.api_docs
import evalapp.media.api_docs
import evalapp.projects.api_docs
import evalapp.prompts.api_docs
import evalapp.scores.api_docs
import evalapp.traces.api_docs
from evalapp.core import payload

# Importing them documents their views.
_DECLARATIONS = (
    annotation.api_docs,
    evalapp.comments.api_docs,
    evalapp.datasets.api_docs,
    evalapp.experiments.api_docs,
    evalapp.media.api_docs,
    evalapp.projects.api_docs,
    evalapp.prompts.api_docs,
    evalapp.scores.api_docs,
    evalapp.traces.api_docs,
)


@cache
def document():
    """Return the document; it is made once per process."""
    return SchemaGenerator().get_schema(request=None, public=True)


@login_not_required
@require_safe
def openapi_json(request):
    """Answer the document. It needs no key: it says nothing about any project."""
    return HttpResponse(_document_bytes(), content_type="application/json")


@cache
def _document_bytes():
    return payload.dump_response(document())

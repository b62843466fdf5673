"""OTLP ingest."""

from django.http import HttpResponse


def otlp_traces(request):
    return HttpResponse(status=501)

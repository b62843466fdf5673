"""What generations cost: the client's own figure, else the project's model definitions, else the price list."""

from functools import lru_cache

import re2

from evalapp.llm.prices import flat_tariff, listed_tariff
from evalapp.traces.models import ModelDefinition


def price_spans(project, spans):
    """Set `cost` and `total_cost` of the spans that name a model and usage but no cost."""
    unpriced = [span for span in spans if span.cost is None and span.model and span.usage]
    if not unpriced:
        return
    definitions = ModelDefinition.objects.of(project)
    for span in unpriced:
        tariff = _tariff(span.model, definitions)
        if tariff and (cost := tariff.cost_of(span.usage)):
            span.cost, span.total_cost = cost, cost["total"]


def _tariff(model, definitions):
    for pattern, name, prices in definitions:
        if _compiled(pattern).fullmatch(model):
            return flat_tariff(name, prices)
    return listed_tariff(model)


def compile_pattern(pattern):
    """Return the compiled pattern. RE2 matches in linear time, so that no pattern can hold up ingest.

    Raises ValueError when it is not a regular expression.
    """
    try:
        return _compiled(pattern)
    except re2.error as error:
        raise ValueError(f"{pattern!r} is not a regular expression: {error}") from error


@lru_cache(maxsize=1024)
def _compiled(pattern):
    return re2.compile(pattern)

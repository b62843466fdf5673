"""Query string → runs and their items."""

import json

from django.core.exceptions import ValidationError
from django.db.models import Q

_STRING = {
    "=": ("exact", False),
    "contains": ("contains", False),
    "does not contain": ("contains", True),
    "starts with": ("startswith", False),
    "ends with": ("endswith", False),
}
_OPTIONS = {"any of": False, "none of": True}


def conditions(text, columns):
    """Return the Q of a JSON list of {type, column, operator, value}; `columns` maps names to fields.

    Raises ValidationError for what isn't such a list.
    """
    if not text:
        return Q()
    try:
        given = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValidationError({"filter": "The filter is not JSON."}) from error
    if not isinstance(given, list):
        raise ValidationError({"filter": "The filter is not a list of conditions."})
    together = Q()
    for condition in given:
        together &= _condition(condition, columns)
    return together


def _condition(condition, columns):
    if not isinstance(condition, dict):
        raise ValidationError({"filter": "A condition is an object with type, column, operator and value."})
    column, operator, value = (condition.get(name) for name in ("column", "operator", "value"))
    if not isinstance(column, str) or column not in columns:
        raise ValidationError({"filter": f"The column is none of {', '.join(columns)}."})
    field, kind = columns[column], condition.get("type")
    if kind == "string" and isinstance(operator, str) and operator in _STRING and isinstance(value, str):
        lookup, negated = _STRING[operator]
        found = Q(**{f"{field}__{lookup}": value})
    elif kind == "stringOptions" and isinstance(operator, str) and operator in _OPTIONS and _are_texts(value):
        negated, found = _OPTIONS[operator], Q(**{f"{field}__in": value})
    elif kind == "null" and operator in ("is null", "is not null"):
        negated, found = operator == "is not null", Q(**{f"{field}__isnull": True})
    else:
        raise ValidationError({"filter": f"No such condition on {column}: {kind} {operator}."})
    return ~found if negated else found


def _are_texts(value):
    return isinstance(value, list) and all(isinstance(item, str) for item in value)

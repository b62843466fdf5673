"""The `filter` parameter of the API: a JSON array of {type, column, operator, value, key?} → one Q."""

import json
from dataclasses import dataclass
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db.models import Case, DurationField, ExpressionWrapper, F, FloatField, JSONField, Q, When
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from evalapp.core.api import parse_time

_MOST_CONDITIONS = 50


@dataclass(frozen=True)
class Column:
    """What a filter column means: its kind, and a field name or expression of the table.

    Kinds: text, number, time, seconds (an interval asked for as seconds), boolean, list, object (JSON).
    `table` is "trace" when the column lives on the observation's trace.
    """

    kind: str
    source: object
    table: str = "own"


def json_column(name):
    """Return the text column as JSON; null where it holds an escaped NUL, which jsonb refuses."""
    return Case(When(**{f"{name}__contains": "\\u0000"}, then=None), default=Cast(name, JSONField()))


def _seconds_between(start, end):
    return ExpressionWrapper(F(end) - F(start), DurationField())


def _cost(key):
    return Cast(KeyTextTransform(key, Cast("cost", JSONField())), FloatField())


TRACE_COLUMNS = {
    "id": Column("text", "id"),
    "name": Column("text", "name"),
    "traceName": Column("text", "name"),
    "timestamp": Column("time", "timestamp"),
    "userId": Column("text", "user_id"),
    "sessionId": Column("text", "session_id"),
    "tags": Column("list", "tags"),
    "traceTags": Column("list", "tags"),
    "release": Column("text", "release"),
    "version": Column("text", "version"),
    "environment": Column("text", "environment"),
    "bookmarked": Column("boolean", "bookmarked"),
    "metadata": Column("object", F("metadata")),
    "latency": Column("seconds", _seconds_between("timestamp", "end_time")),
    "inputTokens": Column("number", "input_tokens"),
    "outputTokens": Column("number", "output_tokens"),
    "totalTokens": Column("number", "total_tokens"),
    "totalCost": Column("number", "total_cost"),
    "errorCount": Column("number", "error_count"),
    "input": Column("text", "input_preview"),
    "output": Column("text", "output_preview"),
}
OBSERVATION_COLUMNS = {
    "id": Column("text", "id"),
    "traceId": Column("text", "trace_id"),
    "type": Column("text", "type"),
    "name": Column("text", "name"),
    "startTime": Column("time", "start_time"),
    "endTime": Column("time", "end_time"),
    "environment": Column("text", "environment"),
    "level": Column("text", "level"),
    "statusMessage": Column("text", "status_message"),
    "version": Column("text", "version"),
    "parentObservationId": Column("text", "parent_id"),
    "isRootObservation": Column("boolean", "is_root"),
    "latency": Column("seconds", _seconds_between("start_time", "end_time")),
    "timeToFirstToken": Column("seconds", _seconds_between("start_time", "completion_start_time")),
    "inputTokens": Column("number", "input_tokens"),
    "outputTokens": Column("number", "output_tokens"),
    "totalTokens": Column("number", "total_tokens"),
    "inputCost": Column("number", _cost("input")),
    "outputCost": Column("number", _cost("output")),
    "totalCost": Column("number", "total_cost"),
    "model": Column("text", "model"),
    "providedModelName": Column("text", "model"),
    "promptName": Column("text", "prompt_name"),
    "promptVersion": Column("number", "prompt_version"),
    "input": Column("text", "input"),
    "output": Column("text", "output"),
    "metadata": Column("object", json_column("metadata")),
    "userId": Column("text", "user_id", "trace"),
    "sessionId": Column("text", "session_id", "trace"),
    "traceName": Column("text", "name", "trace"),
    "tags": Column("list", "tags", "trace"),
    "traceTags": Column("list", "tags", "trace"),
}
_COMPARISONS = {"=": "exact", ">": "gt", "<": "lt", ">=": "gte", "<=": "lte"}
_TEXT = {
    "=": ("exact", False),
    "<>": ("exact", True),
    "contains": ("contains", False),
    "does not contain": ("contains", True),
    "starts with": ("startswith", False),
    "ends with": ("endswith", False),
    "matches": ("icontains", False),
}


def parse(text):
    """Return the conditions of a `filter` parameter. Raises ValidationError saying what is wrong with it."""
    if not text:
        return []
    try:
        conditions = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValidationError({"filter": f"This is not JSON: {error}"}) from error
    if not isinstance(conditions, list) or len(conditions) > _MOST_CONDITIONS:
        raise ValidationError({"filter": f"Send a JSON array of at most {_MOST_CONDITIONS} conditions."})
    for index, condition in enumerate(conditions):
        if not isinstance(condition, dict) or not isinstance(condition.get("column"), str):
            raise ValidationError({"filter": f"Condition {index} names no column."})
    return conditions


def narrow(queryset, conditions, columns, *, traces=None):
    """Return the queryset with all conditions applied. Raises ValidationError naming the condition.

    `traces` are the project's traces, asked when a column lives there.
    """
    for index, condition in enumerate(conditions):
        name = condition["column"]
        if name not in columns:
            raise ValidationError(
                {"filter": f"Condition {index}: there is no column {name!r}. Use one of {', '.join(columns)}."}
            )
        column = columns[name]
        try:
            if column.table == "trace":
                queryset = queryset.filter(trace_id__in=_filter(traces, column, condition, index).values("id"))
            else:
                queryset = _filter(queryset, column, condition, index)
        except (TypeError, ValueError, OverflowError) as error:
            raise ValidationError({"filter": f"Condition {index} on {name}: {error}"}) from error
    return queryset


def _filter(queryset, column, condition, index):
    source = column.source
    if column.kind == "object":
        source = KeyTextTransform(_key(condition), source)
    if not isinstance(source, str):
        alias = f"_filter_{index}"
        queryset = queryset.alias(**{alias: source})
        source = alias
    return queryset.filter(_condition(source, column.kind, condition))


def _condition(field, kind, condition):
    how, value = condition.get("operator"), condition.get("value")
    if how in ("is null", "is not set"):
        return Q(**{f"{field}__isnull": True})
    if how in ("is not null", "is set"):
        return Q(**{f"{field}__isnull": False})
    if kind == "list":
        return _list_condition(field, how, _values(value))
    if how in ("any of", "none of"):
        chosen = Q(**{f"{field}__in": _values(value)})
        return chosen if how == "any of" else ~chosen
    if kind == "boolean" and how in ("=", "<>"):
        if not isinstance(value, bool):
            raise ValueError(f"{value!r} is neither true nor false")
        return Q(**{field: value if how == "=" else not value})
    if kind in ("number", "seconds", "time"):
        return _ordered_condition(field, kind, how, value)
    if kind == "object" and condition.get("type") == "numberObject":
        raise ValueError("compare metadata as text")
    return _text_condition(field, how, value)


def _ordered_condition(field, kind, how, value):
    if how not in _COMPARISONS and how != "<>":
        raise ValueError(f"the operator {how!r} does not apply; use =, <>, >, <, >= or <=")
    if kind == "time":
        value = parse_time(value, "filter")
    else:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"{value!r} is not a number")
        value = timedelta(seconds=value) if kind == "seconds" else value
    condition = Q(**{f"{field}__{_COMPARISONS.get(how, 'exact')}": value})
    return ~condition if how == "<>" else condition


def _text_condition(field, how, value):
    if how not in _TEXT:
        raise ValueError(f"the operator {how!r} does not apply; use one of {', '.join(_TEXT)}")
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not text")
    lookup, negated = _TEXT[how]
    condition = Q(**{f"{field}__{lookup}": value})
    return ~condition if negated else condition


def _list_condition(field, how, values):
    if how == "all of":
        return Q(**{f"{field}__contains": values})
    overlap = Q(**{f"{field}__overlap": values})
    if how in ("any of", "none of"):
        return overlap if how == "any of" else ~overlap
    raise ValueError(f"the operator {how!r} does not apply; use any of, none of or all of")


def _values(value):
    values = value if isinstance(value, list) else [value]
    if not all(isinstance(item, str) for item in values):
        raise ValueError("the value is not a list of texts")
    return values


def _key(condition):
    key = condition.get("key")
    if not isinstance(key, str) or not key:
        raise ValueError("name the metadata `key`")
    return key

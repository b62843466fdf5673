"""Metrics queries: what is measured, by which dimensions, in which period → one aggregation in the database.

A query names views, dimensions and measures by words of a fixed list; each stands for an expression below.
"""

from dataclasses import dataclass
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db.models import (
    Aggregate,
    Avg,
    Count,
    F,
    FloatField,
    Func,
    IntegerField,
    Max,
    Min,
    OuterRef,
    Subquery,
    Sum,
    Value,
)
from django.db.models.functions import Cast, Least, NullIf, Trunc

from evalapp.core import payload
from evalapp.core.api import iso, parse_time
from evalapp.scores.columns import SCORE_COLUMNS
from evalapp.scores.models import DataType, Score
from evalapp.traces import conditions
from evalapp.traces.conditions import OBSERVATION_COLUMNS, TRACE_COLUMNS, Column
from evalapp.traces.models import Observation, Trace

_MOST_ROWS = 1000
_MOST_PARTS = 20  # of a query: dimensions, metrics
_PERCENTILES = {"p50": 0.5, "p75": 0.75, "p90": 0.9, "p95": 0.95, "p99": 0.99}
_AGGREGATES = {"sum": Sum, "avg": Avg, "max": Max, "min": Min, "count": Count}
_GRANULARITIES = ("minute", "hour", "day", "week", "month")


class _Percentile(Aggregate):
    template = "percentile_cont(%(fraction)s) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = FloatField()


class _Milliseconds(Func):
    template = "(extract(epoch FROM %(expressions)s) * 1000)::double precision"
    output_field = FloatField()


class _Text(Func):
    template = "to_char(%(expressions)s AT TIME ZONE 'UTC', '%(format)s')"


@dataclass(frozen=True)
class View:
    """A table as metrics see it. A measure of None counts rows, a text counts the distinct values of a column."""

    rows: object
    time: str
    dimensions: dict
    measures: dict
    columns: dict


def _of_trace(column, trace_id="trace_id"):
    # There is no foreign key; the row is found by its primary key.
    traces = Trace.objects.filter(project_id=OuterRef("project_id"), id=OuterRef(trace_id))
    return Subquery(traces.values(column)[:1])


def _of_observation(column):
    rows = Observation.objects.filter(
        project_id=OuterRef("project_id"), trace_id=OuterRef("trace_id"), id=OuterRef("observation_id")
    )
    return Subquery(rows.values(column)[:1])


def _scores_of(**subject):
    scores = Score.objects.filter(project_id=OuterRef("project_id"), **subject).order_by()
    return Subquery(scores.values("project_id").annotate(n=Count("*")).values("n"))


def _per_second(tokens):
    seconds = _Milliseconds(F("end_time") - F("start_time")) / Value(1000.0)
    return Cast(tokens, FloatField()) / NullIf(seconds, Value(0.0))


_CONTEXT = {
    "traceName": _of_trace("name"),
    "userId": _of_trace("user_id"),
    "sessionId": _of_trace("session_id"),
    "tags": _of_trace("tags"),
    "traceTags": _of_trace("tags"),
    "release": _of_trace("release"),
    "traceRelease": _of_trace("release"),
    "traceVersion": _of_trace("version"),
}
_CONTEXT_COLUMNS = {
    "release": Column("text", "release", "trace"),
    "traceRelease": Column("text", "release", "trace"),
    "traceVersion": Column("text", "version", "trace"),
}
_OBSERVATIONS = View(
    lambda project: project.observations.all(),
    "start_time",
    {
        **{name: F(name) for name in ("environment", "type", "name", "level", "version")},
        **_CONTEXT,
        "traceId": F("trace_id"),
        "providedModelName": F("model"),
        "model": F("model"),
        "promptName": F("prompt_name"),
        "promptVersion": F("prompt_version"),
        "isRootObservation": F("is_root"),
        "startTimeMonth": _Text(F("start_time"), format="YYYY-MM"),
    },
    {
        "count": None,
        "latency": _Milliseconds(F("end_time") - F("start_time")),
        "streamingLatency": _Milliseconds(F("end_time") - F("completion_start_time")),
        "timeToFirstToken": _Milliseconds(F("completion_start_time") - F("start_time")),
        "inputTokens": F("input_tokens"),
        "outputTokens": F("output_tokens"),
        "totalTokens": F("total_tokens"),
        "outputTokensPerSecond": _per_second("output_tokens"),
        "tokensPerSecond": _per_second("total_tokens"),
        "inputCost": OBSERVATION_COLUMNS["inputCost"].source,
        "outputCost": OBSERVATION_COLUMNS["outputCost"].source,
        "totalCost": F("total_cost"),
        "countScores": _scores_of(trace_id=OuterRef("trace_id"), observation_id=OuterRef("id")),
    },
    {**OBSERVATION_COLUMNS, **_CONTEXT_COLUMNS},
)
_TRACES = View(
    lambda project: project.traces.all(),
    "timestamp",
    {
        **{name: F(name) for name in ("environment", "name", "release", "version", "tags", "id")},
        "traceName": F("name"),
        "userId": F("user_id"),
        "sessionId": F("session_id"),
        "timestampMonth": _Text(F("timestamp"), format="YYYY-MM"),
    },
    {
        "count": None,
        "latency": _Milliseconds(F("end_time") - F("timestamp")),
        "observationsCount": F("observation_count"),
        "scoresCount": _scores_of(trace_id=OuterRef("id")),
        "uniqueUserIds": "user_id",
        "uniqueSessionIds": "session_id",
        "totalTokens": F("total_tokens"),
        "totalCost": F("total_cost"),
    },
    TRACE_COLUMNS,
)
_SCORE_DIMENSIONS = {
    **{name: F(name) for name in ("environment", "name", "source")},
    **_CONTEXT,
    "dataType": F("data_type"),
    "configId": F("config_id"),
    "traceId": F("trace_id"),
    "timestampMonth": _Text(F("timestamp"), format="YYYY-MM"),
    "timestampDay": _Text(F("timestamp"), format="YYYY-MM-DD"),
    "observationName": _of_observation("name"),
    "observationModelName": _of_observation("model"),
    "observationPromptName": _of_observation("prompt_name"),
    "observationPromptVersion": _of_observation("prompt_version"),
}


def _scores(types, dimensions, measures):
    return View(
        lambda project: project.scores.filter(data_type__in=types),
        "timestamp",
        {**_SCORE_DIMENSIONS, **dimensions},
        {"count": None, **measures},
        {**SCORE_COLUMNS, **_CONTEXT_COLUMNS},
    )


VIEWS = {
    "observations": _OBSERVATIONS,
    "traces": _TRACES,
    "scores-numeric": _scores([DataType.NUMERIC, DataType.BOOLEAN], {"value": F("value")}, {"value": F("value")}),
    "scores-boolean": _scores(
        [DataType.BOOLEAN], {"booleanValue": F("string_value"), "value": F("value")}, {"value": F("value")}
    ),
    "scores-categorical": _scores([DataType.CATEGORICAL], {"stringValue": F("string_value")}, {}),
}


def measure(project, text):
    """Return the rows that the query (JSON) asks for. Raises ValidationError naming the part that is wrong."""
    query = _parse(text)
    view = _chosen(query.get("view"), VIEWS, "view")
    start, end = _time(query, "fromTimestamp"), _time(query, "toTimestamp")
    rows = view.rows(project)
    if start:
        rows = rows.filter(**{f"{view.time}__gte": start})
    if end:
        rows = rows.filter(**{f"{view.time}__lt": end})
    rows = conditions.narrow(rows, _filters(query), view.columns, traces=project.traces.all())

    # Numbered aliases: a name of the query may be that of a column.
    groups = {part["field"]: _chosen(part["field"], view.dimensions, "dimensions") for part in _dimensions(query)}
    if granularity := _granularity(query, start, end):
        groups["time_dimension"] = Trunc(view.time, granularity)
    metrics = _metrics(query)
    if any(part["aggregation"] == "histogram" for part in metrics):
        return _histograms(rows, groups, metrics, view.measures, query)
    values = dict(_metric(part, view.measures) for part in metrics)
    aliases = {name: f"group_{number}" for number, name in enumerate(groups)}
    aliases |= {name: f"value_{number}" for number, name in enumerate(values)}
    rows = rows.order_by()
    if groups:
        rows = rows.annotate(**{aliases[name]: part for name, part in groups.items()})
        rows = rows.values(*(aliases[name] for name in groups))
        rows = rows.annotate(**{aliases[name]: part for name, part in values.items()})
        rows = rows.order_by(*_order(query, aliases, groups, values))[: _limit(query)]
        found = rows.values(*aliases.values())
    else:
        found = [rows.aggregate(**{aliases[name]: part for name, part in values.items()})]
    return [{name: _shown(row[alias]) for name, alias in aliases.items()} for row in found]


def _parse(text):
    try:
        query = payload.load(text) if text else None
    except (ValueError, RecursionError) as error:
        raise ValidationError({"query": f"This is not JSON: {error}"}) from error
    if not isinstance(query, dict):
        raise ValidationError({"query": "Send a JSON object with a view and metrics."})
    return query


def _chosen(name, known, field):
    if not isinstance(name, str) or name not in known:
        raise ValidationError({field: f"{name!r} is none of {', '.join(known)}."})
    return known[name]


def _time(query, name):
    return parse_time(query[name], name) if query.get(name) else None


def _parts(query, name, keys):
    parts = query.get(name) or []
    well_formed = isinstance(parts, list) and len(parts) <= _MOST_PARTS
    if not well_formed or not all(
        isinstance(part, dict) and all(isinstance(part.get(key), str) for key in keys) for part in parts
    ):
        raise ValidationError({name: f"Send a list of at most {_MOST_PARTS} objects with {' and '.join(keys)}."})
    return parts


def _filters(query):
    try:
        return conditions.parse(payload.dump(query.get("filters") or []))
    except RecursionError as error:
        raise ValidationError({"filter": "The filters are nested too deeply."}) from error


def _dimensions(query):
    return _parts(query, "dimensions", ["field"])


def _metrics(query):
    return _parts(query, "metrics", ["measure", "aggregation"]) or [{"measure": "count", "aggregation": "count"}]


def _metric(part, measures):
    """Return (the name of the column of the answer, its expression)."""
    measured, how = _chosen(part["measure"], measures, "metrics"), part["aggregation"]
    name = f"{how}_{part['measure']}"
    if measured is None:
        if how not in ("count", "sum"):
            raise ValidationError({"metrics": "The measure 'count' is aggregated by count or sum."})
        return name, Count("*")
    if isinstance(measured, str):
        return name, Count(measured, distinct=True)
    if how in _PERCENTILES:
        return name, _Percentile(measured, fraction=_PERCENTILES[how])
    if how not in _AGGREGATES:
        known = ", ".join([*_AGGREGATES, *_PERCENTILES, "histogram"])
        raise ValidationError({"metrics": f"The aggregation {how!r} is none of {known}."})
    return name, _AGGREGATES[how](measured)


def _histograms(rows, groups, metrics, measures, query):
    """Return each group with its [[from, to, count], …] in bins of one width for all; largest group first."""
    measured = _chosen(metrics[0]["measure"], measures, "metrics")
    if len(metrics) > 1 or measured is None or isinstance(measured, str):
        raise ValidationError({"metrics": "A histogram is of one measure that has values, and the only metric."})
    bins, limit = _setting(query, "bins", 10, 100), _limit(query)
    rows = rows.order_by().annotate(measured=Cast(measured, FloatField())).exclude(measured=None)
    low, high = rows.aggregate(low=Min("measured"), high=Max("measured")).values()
    if low is None:
        return []
    width = (high - low) / bins or 1.0
    aliases = {name: f"group_{number}" for number, name in enumerate(groups)}
    # The greatest value lies on the upper bound, beyond the last bin.
    bounds = [Value(low), Value(low + width * bins), Value(bins)]
    bucket = Least(Func("measured", *bounds, function="width_bucket", output_field=IntegerField()), Value(bins))
    counted = (
        rows.annotate(bucket=bucket, **{aliases[name]: part for name, part in groups.items()})
        .values("bucket", *aliases.values())
        .annotate(n=Count("*"))
        .order_by("-n")[: _MOST_ROWS * bins]
    )
    found = {}
    for row in counted:
        key = tuple((name, payload.dump(_shown(row[alias]))) for name, alias in aliases.items())
        shown = found.setdefault(key, ({name: _shown(row[alias]) for name, alias in aliases.items()}, [0] * bins))
        shown[1][row["bucket"] - 1] += row["n"]
    name = f"histogram_{metrics[0]['measure']}"
    edges = [low + width * number for number in range(bins + 1)]
    largest = sorted(found.values(), key=lambda group: -sum(group[1]))[:limit]
    return [
        {**group, name: [list(bin) for bin in zip(edges, edges[1:], counts, strict=False)]}
        for group, counts in largest
    ]


def _granularity(query, start, end):
    given = query.get("timeDimension")
    if not given:
        return None
    name = given.get("granularity") if isinstance(given, dict) else given
    if name != "auto":
        if name not in _GRANULARITIES:
            known = ", ".join((*_GRANULARITIES, "auto"))
            raise ValidationError({"timeDimension": f"The granularity {name!r} is none of {known}."})
        return name
    period = end - start if start and end else timedelta(days=30)
    for longest, granularity in ((2 / 24, "minute"), (3, "hour"), (90, "day"), (365, "week")):
        if period <= timedelta(days=longest):
            return granularity
    return "month"


def _order(query, aliases, groups, values):
    order = []
    for part in _parts(query, "orderBy", ["field"]):
        alias = _chosen(part["field"], aliases, "orderBy")
        descending = str(part.get("direction", "asc")).lower() == "desc"
        order.append(F(alias).desc(nulls_last=True) if descending else F(alias).asc(nulls_last=True))
    if not order:
        by_time = "time_dimension" in groups
        first = aliases["time_dimension"] if by_time else aliases[next(iter(values))]
        order.append(F(first).asc() if by_time else F(first).desc(nulls_last=True))
    # The groups make the order whole, so that the same query cuts at the same row.
    return order + [F(aliases[name]).asc() for name in groups]


def _limit(query):
    return _setting(query, "row_limit", 100, _MOST_ROWS)


def _setting(query, name, default, most):
    config = query.get("config")
    number = config.get(name, default) if isinstance(config, dict) else default
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= most:
        raise ValidationError({"config": f"{name} is a number from 1 to {most}."})
    return number


def _shown(value):
    return iso(value) if hasattr(value, "isoformat") else value

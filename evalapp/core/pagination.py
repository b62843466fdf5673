"""Keyset pages: a page costs what it shows, however long the list is."""

import base64
import json
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import BooleanField, Expression, F, Q, Value
from django.utils.timezone import is_aware

SIZE = 50


@dataclass(frozen=True)
class Page:
    """One page of rows in list order; a URL is None where the list ends."""

    items: list
    newer_url: str | None
    older_url: str | None

    def __iter__(self):
        return iter(self.items)

    def __len__(self):
        return len(self.items)


def keyset_page(queryset, params, order, size=SIZE):
    """Return the page that `params` (request.GET) ask for: `?after=` a row of the list, or `?before=` it.

    `order` names non-null columns, "-" for descending, the last making it unique. A cursor that can't be read
    gives the first page, so that an old or mangled link still opens the list.
    """
    keys = [(name.lstrip("-"), name.startswith("-")) for name in order]
    fields = [_field(queryset, name) for name, _ in keys]

    def page(items, newer, older):
        return Page(
            items,
            _url(params, "before", _encode(items[0], keys)) if items and newer else None,
            _url(params, "after", _encode(items[-1], keys)) if items and older else None,
        )

    before = _decode(params.get("before"), fields)
    if before is not None:
        backwards = [(name, not descending) for name, descending in keys]
        rows = _rows(queryset, backwards, fields, before, size)
        if len(rows) >= size:
            return page(rows[size - 1 :: -1], newer=len(rows) > size, older=True)
        # Fewer rows than a page before the cursor: that is the list's start, shown as a whole page.
        return page(*_first(queryset, keys, fields, None, size))
    after = _decode(params.get("after"), fields)
    items, newer, older = _first(queryset, keys, fields, after, size)
    if after is not None and not items:
        return Page([], _url(params, None, None), None)
    return page(items, newer, older)


def cursor_rows(queryset, cursor, order, limit):
    """Return (rows, next cursor) for a cursor-form API list; the next cursor is None on the last page.

    `order` is as for keyset_page. Raises ValidationError for a cursor that no page of this list has made.
    """
    keys = [(name.lstrip("-"), name.startswith("-")) for name in order]
    fields = [_field(queryset, name) for name, _ in keys]
    values = _decode(cursor, fields) if cursor else None
    if cursor and values is None:
        raise ValidationError({"cursor": "This cursor cannot be read. Start without one."})
    rows = _rows(queryset, keys, fields, values, limit)
    return rows[:limit], _encode(rows[limit - 1], keys) if len(rows) > limit else None


def _first(queryset, keys, fields, after, size):
    rows = _rows(queryset, keys, fields, after, size)
    return rows[:size], after is not None, len(rows) > size


def _rows(queryset, keys, fields, cursor, size):
    ordered = queryset.order_by(*(f"-{name}" if descending else name for name, descending in keys))
    if cursor is not None:
        values = [Value(value, output_field=field) for value, field in zip(cursor, fields, strict=True)]
        ordered = ordered.filter(_beyond(keys, values))
    return list(ordered[: size + 1])


def _beyond(keys, values):
    """The rows after `values` in the order of `keys`.

    Columns that run in one direction make one row comparison, which PostgreSQL answers by starting to read the
    index there. Where the direction changes, the first run still bounds the read.
    """
    run = next((i for i, key in enumerate(keys) if key[1] != keys[0][1]), len(keys))
    names = [F(name) for name, _ in keys[:run]]
    operator = "<" if keys[0][1] else ">"
    if run == len(keys):
        return Q(_RowComparison(operator, names, values))
    same = Q(_RowComparison("=", names, values[:run]))
    return Q(_RowComparison(f"{operator}=", names, values[:run])) & (~same | _beyond(keys[run:], values[run:]))


class _RowComparison(Expression):
    """`(a, b) < (x, y)` in SQL."""

    conditional = True

    def __init__(self, operator, left, right):
        super().__init__(output_field=BooleanField())
        self.operator, self.left, self.right = operator, list(left), list(right)

    def get_source_expressions(self):
        return [*self.left, *self.right]

    def set_source_expressions(self, expressions):
        half = len(self.left)
        self.left, self.right = expressions[:half], expressions[half:]

    def as_sql(self, compiler, connection):
        sql, params = zip(*(compiler.compile(part) for part in self.get_source_expressions()), strict=True)
        half = len(self.left)
        text = f"({', '.join(sql[:half])}) {self.operator} ({', '.join(sql[half:])})"
        return text, [param for group in params for param in group]


def _field(queryset, name):
    if name in queryset.query.annotations:
        return queryset.query.annotations[name].output_field
    try:
        return queryset.model._meta.get_field(name)
    except FieldDoesNotExist:
        raise ValueError(f"Cannot order a page by {name}: it is neither a column nor an annotation.") from None


def _encode(row, keys):
    values = [row[name] if isinstance(row, dict) else getattr(row, name) for name, _ in keys]
    if None in values:
        raise ValueError("A page is ordered by columns that are never null.")
    text = json.dumps([value.isoformat() if hasattr(value, "isoformat") else value for value in values])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode(cursor, fields):
    """Return the cursor's values, or None for what no page of ours has made."""
    try:
        raw = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
        if not isinstance(raw, list) or len(raw) != len(fields):
            return None
        return [_clean(value, field) for value, field in zip(raw, fields, strict=True)]
    except (TypeError, ValueError, OverflowError, RecursionError, ValidationError):
        return None


def _clean(raw, field):
    if not isinstance(raw, str | int | float):
        raise ValueError("not a scalar")
    value = field.to_python(raw)
    field.run_validators(value)
    if value is None or (isinstance(value, datetime) and not is_aware(value)):
        raise ValueError("not a key")
    if isinstance(value, str) and "\0" in value.encode().decode():  # encode() refuses lone surrogates
        raise ValueError("not storable text")
    return value


def _url(params, name, cursor):
    query = params.copy()
    for key in ("before", "after"):
        query.pop(key, None)
    if name:
        query[name] = cursor
    return f"?{query.urlencode()}"

"""Scores as CSV and JSONL, streamed: however many there are, a chunk of them is in memory."""

import csv
import json

from django.http import StreamingHttpResponse

from evalapp.core.api import iso

COLUMNS = [
    "id",
    "timestamp",
    "name",
    "data_type",
    "value",
    "string_value",
    "comment",
    "source",
    "author",
    "trace_id",
    "observation_id",
    "session_id",
    "dataset_run_id",
    "config_id",
    "queue_id",
    "environment",
    "metadata",
    "created_at",
    "updated_at",
]
_CHUNK = 2_000
# What a spreadsheet would run as a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def stream_scores(scores, kind, filename):
    """Return a download of the scores, oldest first; `kind` is csv or jsonl.

    CSV is for spreadsheets: texts that they would run as a formula get an apostrophe in front. JSONL is exact.
    """
    lines = {"csv": _csv, "jsonl": _jsonl}[kind](_rows(scores))
    content_type = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}[kind]
    response = StreamingHttpResponse(lines, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{filename}.{kind}"'
    response["X-Accel-Buffering"] = "no"
    return response


def _rows(scores):
    for score in scores.select_related("author").order_by("timestamp", "id").iterator(chunk_size=_CHUNK):
        yield {
            **{name: getattr(score, name) for name in COLUMNS if name not in ("author", "metadata")},
            "author": score.author.email if score.author else "",
            "timestamp": iso(score.timestamp),
            "created_at": iso(score.created_at),
            "updated_at": iso(score.updated_at),
            "metadata": score.metadata,
        }


class _Echo:
    def write(self, line):
        return line


def _csv(rows):
    writer = csv.writer(_Echo())
    # The mark makes Excel read UTF-8.
    yield "\ufeff" + writer.writerow(COLUMNS)
    for row in rows:
        row["metadata"] = json.dumps(row["metadata"], ensure_ascii=False) if row["metadata"] else ""
        yield writer.writerow([_cell(row[name]) for name in COLUMNS])


def _cell(value):
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return "" if value is None else value


def _jsonl(rows):
    for row in rows:
        yield json.dumps({name: row[name] for name in COLUMNS}, ensure_ascii=False) + "\n"

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evalapp.core.pagination import keyset_page
from evalapp.traces.models import Trace

START = datetime(2026, 1, 5, tzinfo=UTC)
ORDERS = [
    ("-timestamp", "-id"),
    ("timestamp", "id"),
    ("-timestamp", "id"),
    ("observation_count", "-timestamp", "id"),
    ("-environment", "observation_count", "-id"),
]


def fill(project, rows):
    """Traces whose sort columns are full of ties; the ids alone are unique."""
    project.traces.all().delete()
    Trace.objects.bulk_create(
        Trace(
            project=project,
            id=f"t{number:03}",
            timestamp=START + timedelta(microseconds=moment),
            observation_count=count,
            environment=environment,
        )
        for number, (moment, count, environment) in enumerate(rows)
    )


def walk(queryset, order, size, link, params=""):
    """Follow one kind of link until it ends; return the pages."""
    pages = []
    while params is not None:
        page = keyset_page(queryset, QueryDict(params.lstrip("?")), order, size)
        pages.append(page)
        params = getattr(page, link)
        assert len(pages) < 100
    return pages


rows = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 2), st.sampled_from(["default", "prod", "ä \"'%,"])), max_size=25
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=rows, order=st.sampled_from(ORDERS), size=st.integers(1, 7))
def test_walking_shows_every_row_once_in_order_both_ways(project, rows, order, size):
    fill(project, rows)
    expected = [trace.id for trace in project.traces.order_by(*order)]
    down = walk(project.traces.all(), order, size, "older_url")
    assert [trace.id for page in down for trace in page] == expected
    assert down[0].newer_url is None
    # From the last page back up, by the links that the pages show.
    seen, page = list(down[-1].items), down[-1]
    while page.newer_url:
        page = keyset_page(project.traces.all(), QueryDict(page.newer_url[1:]), order, size)
        seen = page.items + seen
        assert page.older_url
    assert [trace.id for trace in seen] == expected


def cursor_of(*values):
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "é",
        "%%%",
        base64.b64encode(b"not json").decode(),
        base64.b64encode(b"[" * 10_000).decode(),
        cursor_of(),
        cursor_of("2026-01-05T00:00:00+00:00"),
        cursor_of("yesterday", "t001"),
        cursor_of("2026-01-05T00:00:00", "t001"),
        cursor_of("2026-01-05T00:00:00+00:00", "t\0"),
        cursor_of("2026-01-05T00:00:00+00:00", "t\ud800"),
        cursor_of("2026-01-05T00:00:00+00:00", None),
        cursor_of("2026-01-05T00:00:00+00:00", {"a": 1}),
        cursor_of(10**400, "t001"),
    ],
)
@pytest.mark.parametrize("parameter", ["before", "after"])
def test_a_cursor_that_cannot_be_read_gives_the_first_page(project, cursor, parameter):
    fill(project, [(0, 0, "default")] * 3)
    params = QueryDict(mutable=True)
    params[parameter] = cursor
    page = keyset_page(project.traces.all(), params, ("-timestamp", "-id"), 2)
    assert [trace.id for trace in page] == ["t002", "t001"]


def test_a_number_too_large_for_its_column_gives_the_first_page(project):
    fill(project, [(0, 0, "default")] * 2)
    params = QueryDict(f"after={cursor_of(10**30, 't000')}")
    assert len(keyset_page(project.traces.all(), params, ("observation_count", "id"))) == 2


def test_links_keep_the_other_parameters_and_drop_the_old_cursor(project):
    fill(project, [(n, 0, "default") for n in range(6)])
    first = keyset_page(project.traces.all(), QueryDict("tag=a&tag=b%26c"), ("-timestamp", "-id"), 2)
    second = keyset_page(project.traces.all(), QueryDict(first.older_url[1:]), ("-timestamp", "-id"), 2)
    for url, cursor in ((second.newer_url, "before"), (second.older_url, "after")):
        query = QueryDict(url[1:])
        assert query.getlist("tag") == ["a", "b&c"]
        assert sorted(query) == sorted(["tag", cursor])


def test_going_back_to_a_start_that_has_grown_shows_a_whole_page(project):
    fill(project, [(n, 0, "default") for n in range(4)])
    second = walk(project.traces.all(), ("-timestamp", "-id"), 3, "older_url")[1]
    Trace.objects.create(project=project, id="new", timestamp=START + timedelta(days=1))
    back = walk(project.traces.all(), ("-timestamp", "-id"), 3, "newer_url", second.newer_url)
    assert [len(page) for page in back] == [3, 3]
    assert back[1].items[0].id == "new"


def test_a_cursor_beyond_the_end_leads_back_to_the_start(project):
    fill(project, [(0, 0, "default")])
    cursor = cursor_of("2020-01-01T00:00:00+00:00", "a")
    page = keyset_page(project.traces.all(), QueryDict(f"name=x&after={cursor}"), ("-timestamp", "-id"))
    assert (page.items, page.newer_url, page.older_url) == ([], "?name=x", None)


def test_an_annotation_can_order_a_page(project):
    fill(project, [(0, n % 3, "default") for n in range(7)])
    doubled = project.traces.annotate(doubled=F("observation_count") * 2)
    pages = walk(doubled, ("-doubled", "id"), 2, "older_url")
    assert [trace.doubled for page in pages for trace in page] == [4, 4, 2, 2, 0, 0, 0]


def test_the_cursor_is_where_the_index_is_entered(project):
    """A filter over the index would read all rows before the page."""
    fill(project, [(n, 0, "default") for n in range(20)])
    after = keyset_page(project.traces.all(), QueryDict(), ("-timestamp", "-id"), 5).older_url
    with connection.cursor() as cursor:
        cursor.execute(
            "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off"
        )

    with CaptureQueriesContext(
        connection,
    ) as queries:
        keyset_page(project.traces.all(), QueryDict(after[1:]), ("-timestamp", "-id"), 5)
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN " + queries[0]["sql"])
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "trace_newest_first" in plan
    assert "Index Cond" in plan and 'ROW("timestamp", (id)' in plan.split("Index Cond")[1].split("\n")[0]
    assert "Sort" not in plan and "Filter" not in plan

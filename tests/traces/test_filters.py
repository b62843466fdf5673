"""The filter of the trace list: what it lets through, and that it never reads the whole table."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.http import QueryDict
from django.utils.timezone import now
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evalapp.core.pagination import keyset_page
from evalapp.traces.bench_traces import fill
from evalapp.traces.filters import TraceFilter
from tests.factories import make_project, make_trace


def names(project, query):
    filter_ = TraceFilter(QueryDict(query))
    return sorted(trace.name for trace in filter_.apply(project.traces.all()))


@pytest.fixture
def three(project, other_project):
    """Three traces that differ in everything, and one of another project that has it all."""
    old = now() - timedelta(days=10)
    make_trace(project, name="Refund 100%", id="aa11", tags=["vip", "de"], user_id="ann", session_id="s/1")
    make_trace(project, name="refund_v2", id="bb22", tags=["de"], user_id="bob", environment="staging")
    make_trace(project, name="Cancel", id="cc33", start=old, error_count=2)
    fields = {"tags": ["vip"], "user_id": "ann", "session_id": "s/1", "environment": "staging", "error_count": 1}
    make_trace(other_project, name="refund elsewhere", id="aa11", **fields)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["Cancel", "Refund 100%", "refund_v2"]),
        ("q=REFUND", ["Refund 100%", "refund_v2"]),
        ("q=100%25", ["Refund 100%"]),
        ("q=%25", ["Refund 100%"]),
        ("q=_", ["refund_v2"]),
        ("q=%5C", []),
        ("q=cc33", ["Cancel"]),
        ("tag=vip", ["Refund 100%"]),
        ("tag=de", ["Refund 100%", "refund_v2"]),
        ("tag=d", []),
        ("user=bob", ["refund_v2"]),
        ("session=s/1", ["Refund 100%"]),
        ("environment=staging", ["refund_v2"]),
        ("failed=on", ["Cancel"]),
        ("period=24h", ["Refund 100%", "refund_v2"]),
        ("tag=de&user=ann", ["Refund 100%"]),
        ("tag=de&failed=on", []),
        ("until=2020-01-01T00:00", []),
        ("since=2020-01-01T00:00&failed=on", ["Cancel"]),
    ],
)
def test_each_filter_lets_through_what_it_says(project, three, query, expected):
    assert names(project, query) == expected


@pytest.mark.parametrize("query", ["period=ages", "since=yesterday", "until=99999-01-01T00:00", f"q={'x' * 300}"])
def test_what_is_not_valid_is_left_out_and_said(project, three, query):
    filter_ = TraceFilter(QueryDict(query))
    assert filter_.apply(project.traces.all()).count() == 3
    assert filter_.errors_by_field and not filter_.is_active


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=st.dictionaries(
        st.sampled_from(["q", "tag", "user", "session", "environment", "failed", "period", "since", "before"]),
        st.text(max_size=20),
    )
)
def test_no_text_in_the_url_breaks_the_list(project, values):
    params = QueryDict(mutable=True)
    params.update(values)
    filter_ = TraceFilter(params)
    keyset_page(filter_.apply(project.traces.for_list()), params, ("-timestamp", "-id"))
    assert all(chip["url"].startswith("?") for chip in filter_.chips)


def test_a_chip_takes_away_its_own_filter_and_the_place_in_the_list(project):
    filter_ = TraceFilter(QueryDict("tag=a%26b&user=ann&after=xyz&errors="))
    assert [(chip["label"], chip["value"], chip["url"]) for chip in filter_.chips] == [
        ("Tag", "a&b", "?user=ann"),
        ("User", "ann", "?tag=a%26b"),
    ]


QUERIES = {
    "": "trace_newest_first",
    "q=agent 39": "trace_",  # by name, or the newest, whichever the planner thinks shorter
    "q=nothing": "Index Scan",
    "tag=rare": "trace_by_tag",
    "user=user-4999": "trace_by_user",
    "session=session-7": "trace_by_session",
    "environment=none": "trace_by_environment",
    "failed=on": "trace_with_errors",
    "period=1h": "trace_newest_first",
}


@pytest.fixture(scope="module")
def plans(django_db_setup, django_db_blocker):
    """{query: PostgreSQL's plan for its first page} over 3,000 traces, in a transaction that is rolled back."""
    with django_db_blocker.unblock(), transaction.atomic():
        project = make_project()
        fill(project, 30_000)
        found = {}
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE traces_trace")
            # 3,000 rows are quickly read from end to end; a million are not.
            cursor.execute("SET LOCAL enable_seqscan = off")
            for query in QUERIES:
                traces = TraceFilter(QueryDict(query)).apply(project.traces.for_list())
                found[query] = traces.order_by("-timestamp", "-id")[:51].explain()
        transaction.set_rollback(True)
    return found


@pytest.mark.parametrize("query", QUERIES)
def test_no_filter_reads_the_whole_table(plans, query):
    plan = plans[query]
    assert "Seq Scan on traces_trace" not in plan
    assert QUERIES[query] in plan

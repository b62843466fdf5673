"""What the trace pages fetch from the scores: a panel beside a trace, and a column of the list."""

import pytest
from django.test import Client

from evalapp.scores.models import DataType, Source
from tests.factories import make_trace


@pytest.fixture
def client(ada):
    client = Client()
    client.force_login(ada)
    return client


def score(project, trace, name, data_type=DataType.NUMERIC, **fields):
    return project.scores.create(trace_id=trace.id, name=name, data_type=data_type, source=Source.API, **fields)


def test_the_panel_shows_each_score_of_the_trace_with_its_text(client, project):
    trace, other = make_trace(project, id="a/b"), make_trace(project)
    score(project, trace, "tone", value=0.5, comment="a bit curt")
    score(project, trace, "note", DataType.TEXT, string_value="<b>wrong</b> order", observation_id="x")
    score(project, other, "elsewhere", value=1)
    page = client.get(f"/project/{project.pk}/trace-scores/a/b").content.decode()
    assert "tone" in page and "0.5" in page and "a bit curt" in page
    assert "&lt;b&gt;wrong" in page and "?observation=x" in page and "elsewhere" not in page


def test_the_column_is_one_query_in_the_order_of_the_rows(client, project, django_assert_num_queries):
    traces = [make_trace(project) for _ in range(3)]
    score(project, traces[0], "tone", value=1)
    score(project, traces[2], "tone", value=2)
    score(project, traces[2], "note", DataType.TEXT, string_value="long")
    query = "&".join(f"trace_id={trace.id}" for trace in traces)
    client.get(f"/project/{project.pk}/scores/of-traces")
    with django_assert_num_queries(4):  # session, user, membership, scores
        page = client.get(f"/project/{project.pk}/scores/of-traces?{query}").content.decode()
    cells = page.split('<span id="trace-chips-')[1:]
    assert [("tone 1" in cell, "tone 2" in cell) for cell in cells] == [
        (True, False),
        (False, False),
        (False, True),
    ]
    assert "note" not in page

"""The pages of traces and sessions as a browser gets them."""

import json
from urllib.parse import quote

import pytest
from django.test import Client
from django.utils.timezone import now

from evalapp.traces.models import Observation, Session, Trace
from tests.factories import make_trace
from tests.traces.test_reading import START, record

HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def client(ada):
    client = Client()
    client.force_login(ada)
    return client


@pytest.fixture
def base(project):
    return f"/project/{project.pk}"


def test_the_list_shows_the_newest_trace_first_with_its_previews(client, base, project):
    make_trace(project, name="trace of Monday")
    make_trace(project, name="trace of Tuesday", start=now(), root_input="Where is it?", tags=["vip"])
    page = client.get(f"{base}/traces").content.decode()
    assert page.index("Tuesday") < page.index("Monday")
    assert "Where is it?" in page and "vip" in page


def test_an_empty_project_leads_to_how_to_connect(client, base):
    page = client.get(f"{base}/traces").content.decode()
    assert "No traces yet" in page and f'href="{base}/settings/connect"' in page


def test_a_filter_without_a_match_is_not_an_empty_project(client, base, project):
    make_trace(project)
    page = client.get(f"{base}/traces?tag=none").content.decode()
    assert "No trace matches" in page and "No traces yet" not in page


def test_the_list_costs_the_same_queries_for_one_row_and_twenty(client, base, project, django_assert_num_queries):
    make_trace(project)
    client.get(f"{base}/traces")
    with django_assert_num_queries(4):  # session, user, membership, traces
        client.get(f"{base}/traces")
    for _ in range(19):
        make_trace(project, tags=["a", "b"], user_id="u", session_id="s")
    with django_assert_num_queries(4):
        client.get(f"{base}/traces")


def test_htmx_gets_only_the_rows(client, base, project):
    make_trace(project, name="mine")
    response = client.get(f"{base}/traces", **HTMX)
    assert "mine" in response.content.decode() and "<html" not in response.content.decode()
    assert "HX-Request" in response["Vary"]


@pytest.mark.parametrize("view", ["", "?view=conversation", "?view=tree", "?view=raw", "?view=nonsense"])
def test_each_view_opens_as_a_page_and_as_a_fragment(client, base, project, view):
    trace = make_trace(project, root_input="Where is my order?", observations=[{"type": "TOOL", "name": "look"}])
    url = f"{base}/traces/{trace.id}{view}"
    assert "<html" in client.get(url).content.decode()
    fragment = client.get(url, **HTMX).content.decode()
    assert fragment.strip().startswith('<section class="trace"') and "Where is my order?" in fragment


def test_back_gets_the_whole_page(client, base, project):
    trace = make_trace(project)
    page = client.get(f"{base}/traces/{trace.id}", **HTMX, HTTP_HX_HISTORY_RESTORE_REQUEST="true")
    assert "<html" in page.content.decode()


def test_one_observation_is_a_fragment_of_its_own(client, base, project):
    trace = make_trace(project, observations=[{"id": "x", "type": "TOOL", "name": "lookup", "output": '{"a": 1}'}])
    page = client.get(
        f"{base}/traces/{trace.id}?view=tree&part=observation&observation=x", **HTMX
    ).content.decode()
    assert page.strip().startswith('<div class="observation"') and "lookup" in page


def test_every_observation_has_an_anchor_in_the_conversation(client, base, project):
    trace = make_trace(project, observations=[{"id": "g", "type": "GENERATION", "input": "Hi", "output": "Hello"}])
    page = client.get(f"{base}/traces/{trace.id}").content.decode()
    for observation in project.observations.of_trace(trace):
        assert f'id="observation-{observation.id}"' in page
        assert f'data-observation-id="{observation.id}"' in page


@pytest.mark.parametrize(
    "trace_id", ["a/b", "a b", "ü", "100%", "a?b#c", "a/observations/b", "a'b\"<c>", "..a", "/x"]
)
def test_ids_that_clients_chose_freely_open(client, base, project, trace_id):
    make_trace(project, id=trace_id, name="odd one", session_id=trace_id)
    listed = client.get(f"{base}/traces").content.decode()
    path = f"{base}/traces/{quote(trace_id)}"
    assert path in listed
    assert "odd one" in client.get(path).content.decode()
    Session.objects.create(project=project, id=trace_id, first_seen=START, last_seen=START)
    assert "odd one" in client.get(f"{base}/sessions/{quote(trace_id)}").content.decode()


def test_a_trace_that_is_not_here_is_a_404(client, base, other_project):
    elsewhere = make_trace(other_project)
    for path in (f"traces/{elsewhere.id}", "traces/none", "traces/a%00b", "trace-download/none", "sessions/none"):
        assert client.get(f"{base}/{path}").status_code == 404, path


def test_the_download_is_the_whole_trace_as_json(client, base, project):
    trace = record(project, [{"type": "GENERATION", "name": "step", "in": [1], "out": "x"}], tags=["a"])
    response = client.get(f"{base}/trace-download/{trace.id}")
    document = json.loads(response.content)
    assert response["Content-Disposition"] == 'attachment; filename="t1.json"'
    assert document["trace"]["tags"] == ["a"]
    assert [(row["name"], row["input"], row["output"]) for row in document["observations"]] == [("step", [1], "x")]


def test_a_payload_downloads_as_text_that_no_browser_interprets(client, base, project):
    trace = record(project, [{"type": "SPAN", "in": "<script>alert(1)</script>"}])
    response = client.get(f"{base}/trace-payload/{trace.id}?observation=o0&field=input")
    assert response.content == b"<script>alert(1)</script>"
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response["X-Content-Type-Options"] == "nosniff" and "attachment" in response["Content-Disposition"]
    for wrong in ("observation=o0&field=id", "observation=none&field=input", "observation=%00&field=input"):
        assert client.get(f"{base}/trace-payload/{trace.id}?{wrong}").status_code == 404, wrong


def test_the_neighbours_in_the_list_are_linked(client, base, project):
    traces = [make_trace(project, start=START.replace(hour=hour)) for hour in (1, 2, 3)]
    page = client.get(f"{base}/traces/{traces[1].id}").content.decode()
    assert f'href="{base}/traces/{traces[0].id}" aria-label="Older trace"' in page
    assert f'href="{base}/traces/{traces[2].id}" aria-label="Newer trace"' in page
    assert "Older trace" not in client.get(f"{base}/traces/{traces[0].id}").content.decode()


def test_a_session_reads_as_one_conversation_oldest_first(client, base, project):
    make_trace(project, session_id="chat/1", root_input="second", start=START.replace(hour=2))
    make_trace(project, session_id="chat/1", root_input="first", start=START.replace(hour=1))
    make_trace(project, session_id="other", root_input="elsewhere")
    Session.objects.create(project=project, id="chat/1", first_seen=START, last_seen=START)
    assert "chat/1" in client.get(f"{base}/sessions").content.decode()
    page = client.get(f"{base}/sessions/chat/1").content.decode()
    assert page.index("first</div>") < page.index("second</div>") and "elsewhere" not in page


def test_the_session_list_costs_the_same_queries_for_one_row_and_twenty(
    client, base, project, django_assert_num_queries
):
    for number in range(20):
        make_trace(project, session_id=f"s{number}")
        Session.objects.create(project=project, id=f"s{number}", first_seen=START, last_seen=START)
        if number in (0, 19):
            client.get(f"{base}/sessions")
            with django_assert_num_queries(5):  # session, user, membership, sessions, their sums
                client.get(f"{base}/sessions")


def test_more_of_a_long_conversation_is_a_fragment(client, base, project):
    rows = [{"type": "SPAN", "name": f"step {number}", "in": "x"} for number in range(300)]
    trace = record(project, [{"type": "CHAIN", "name": "root"}, *rows])
    page = client.get(f"{base}/traces/{trace.id}").content.decode()
    assert "step 70" in page and "step 100" not in page and "part=more&amp;from=80" in page
    more = client.get(f"{base}/traces/{trace.id}?view=conversation&part=more&from=80", **HTMX).content.decode()
    assert "step 100" in more and "<section" not in more


def test_a_trace_without_observations_says_so(client, base, project):
    Trace.objects.create(project=project, id="bare")
    assert "neither input nor output" in client.get(f"{base}/traces/bare").content.decode()
    assert "no steps yet" in client.get(f"{base}/traces/bare?view=tree").content.decode()
    assert not Observation.objects.filter(trace_id="bare").exists()


def test_a_reviewer_may_not_browse_traces(ben, base, project):
    client = Client()
    client.force_login(ben)
    trace = make_trace(project)
    for path in ("traces", f"traces/{trace.id}", f"trace-download/{trace.id}", "sessions"):
        assert client.get(f"{base}/{path}").status_code == 403, path

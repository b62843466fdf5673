"""What the one writer keeps, whatever the order, the batches, the repetitions and the rivals."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evalapp.core import payload
from evalapp.traces import store
from evalapp.traces.actions import ingest
from evalapp.traces.models import Observation, Session, Trace
from evalapp.traces.spans import Span
from tests.factories import make_project

T0 = datetime(2026, 11, 16, 12, tzinfo=UTC)


def make_span(number=0, *, trace="t1", start=0, seconds=1, **fields):
    start_time = T0 + timedelta(seconds=start)
    fields.setdefault("id", f"s{number}")
    fields.setdefault("name", f"span {number}")
    fields.setdefault("parent_id", "s0" if number else None)
    return Span(trace, start_time=start_time, end_time=start_time + timedelta(seconds=seconds), **fields)


def the_trace(project):
    """All columns of the only trace, apart from when it was written."""
    row = Trace.objects.filter(project=project).values().get()
    del row["created_at"], row["updated_at"]
    if row["total_cost"] is not None:
        row["total_cost"] = pytest.approx(row["total_cost"])
    return row


def the_observations(project):
    rows = list(Observation.objects.filter(project=project).order_by("trace_id", "id").values())
    for row in rows:
        del row["created_at"]
    return rows


def test_a_trace_sums_up_its_spans(project):
    root = make_span(start=0, seconds=9, input="Hello", output="Bye", metadata={"a": 1}, release="r1")
    call = make_span(
        1,
        start=1,
        type="GENERATION",
        level="ERROR",
        input_tokens=5,
        output_tokens=7,
        total_tokens=12,
        total_cost=0.5,
        user_id="ada",
        session_id="s",
        tags=("b", "a"),
        trace_metadata={"b": [2]},
        environment="staging",
    )
    ingest(project, [call, root])
    trace = project.traces.get()
    assert (trace.timestamp, trace.end_time) == (T0, T0 + timedelta(seconds=9))
    assert (trace.name, trace.root_observation_id) == ("span 0", "s0")
    assert (trace.user_id, trace.session_id, trace.tags) == ("ada", "s", ["a", "b"])
    assert (trace.metadata, trace.environment, trace.release) == ({"a": 1, "b": [2]}, "staging", "r1")
    assert (trace.input_preview, trace.output_preview, trace.input) == ("Hello", "Bye", None)
    assert (trace.observation_count, trace.error_count, trace.total_cost) == (2, 1, 0.5)
    assert (trace.input_tokens, trace.output_tokens, trace.total_tokens) == (5, 7, 12)
    session = project.sessions.get()
    assert (session.id, session.first_seen, session.last_seen) == ("s", T0, T0 + timedelta(seconds=9))


def test_a_span_keeps_all_its_columns(project):
    span = make_span(
        type="GENERATION",
        status_message="fine",
        completion_start_time=T0 + timedelta(milliseconds=200),
        model="gpt-4o",
        model_parameters={"temperature": 0.2},
        usage={"input": 1, "output": 2, "total": 3},
        cost={"total": 0.1},
        input_tokens=1,
        output_tokens=2,
        total_tokens=3,
        total_cost=0.1,
        prompt_name="greet",
        prompt_version=3,
        input='{"q": 1}',
        output="ä€😀",
        metadata={"k": "v"},
        telemetry=b'"scope":{"name":"x"}',
        version="v9",
        environment="production",
    )
    ingest(project, [span])
    row = project.observations.get()
    assert row.start_time == T0 and row.end_time == T0 + timedelta(seconds=1)
    assert row.completion_start_time == T0 + timedelta(milliseconds=200)
    for field in (
        "type",
        "status_message",
        "model",
        "prompt_name",
        "prompt_version",
        "input",
        "output",
        "version",
    ):
        assert getattr(row, field) == getattr(span, field)
    for field in ("model_parameters", "usage", "cost"):
        assert payload.load(getattr(row, field)) == getattr(span, field)
    assert payload.load(row.metadata) == {"scope": {"name": "x"}, "k": "v"}
    assert (row.input_tokens, row.output_tokens, row.total_tokens, row.total_cost) == (1, 2, 3, 0.1)
    assert row.environment == "production" and row.is_root


def test_a_span_sent_again_replaces_the_stored_one(project):
    ingest(project, [make_span(input="first", level="ERROR"), make_span(1, input_tokens=5)])
    ingest(project, [make_span(input="second")])
    assert [row.input for row in project.observations.order_by("id")] == ["second", None]
    trace = project.traces.get()
    assert (trace.observation_count, trace.error_count, trace.input_tokens) == (2, 0, 5)


def test_a_span_sent_again_with_another_start_is_still_one_row(project):
    weeks = 3 * 7 * 24 * 3600
    ingest(project, [make_span(start=0), make_span(1, start=5)])
    ingest(project, [make_span(start=-weeks)])
    assert [row.start_time for row in project.observations.order_by("id")] == [
        T0 - timedelta(seconds=weeks),
        T0 + timedelta(seconds=5),
    ]
    ingest(project, [make_span(start=2)])
    trace = project.traces.get()
    assert (trace.timestamp, trace.observation_count) == (T0 + timedelta(seconds=2), 2)


def test_spans_of_weeks_without_a_partition_are_replaced_too(project):
    years = 9 * 365 * 24 * 3600
    ingest(project, [make_span(start=-years, input="first")])
    ingest(project, [make_span(start=-years, input="second"), make_span(1, start=0)])
    assert [row.input for row in project.observations.order_by("id")] == ["second", None]
    assert project.traces.get().observation_count == 2


def test_a_span_sent_again_without_payload_keeps_it(project):
    ingest(project, [make_span(input="question", output="draft")])
    ingest(project, [make_span(output="answer"), make_span(1)])
    row = project.observations.get(id="s0")
    assert (row.input, row.output) == ("question", "answer")


def test_of_a_span_twice_in_one_batch_the_last_counts(project):
    ingest(project, [make_span(input="question", name="old"), make_span(output="answer", name="new")])
    row = project.observations.get()
    assert (row.name, row.input, row.output) == ("new", "question", "answer")
    assert project.traces.get().observation_count == 1


def test_an_explicit_trace_name_beats_the_roots(project):
    ingest(project, [make_span(1, trace_name="checkout")])
    ingest(project, [make_span(0, name="handler", seconds=60)])
    assert project.traces.get().name == "checkout"


def test_the_traces_own_input_and_output_come_first_in_the_preview(project):
    ingest(project, [make_span(1, trace_input="asked", trace_output="told", input="x", output="y")])
    ingest(project, [make_span(0, input="raw", output="raw")])
    trace = project.traces.get()
    assert (trace.input, trace.output, trace.input_preview, trace.output_preview) == (
        "asked",
        "told",
        "asked",
        "told",
    )


def test_a_span_with_an_invented_parent_can_be_the_root(project):
    ingest(
        project, [make_span(1, parent_id="never-sent", as_root=True, name="entry"), make_span(2, parent_id="s1")]
    )
    trace = project.traces.get()
    assert (trace.name, trace.root_observation_id) == ("entry", "s1")


def test_the_same_ids_in_two_projects_are_two_traces(project, other_project):
    ingest(project, [make_span(name="ours")])
    ingest(other_project, [make_span(name="theirs")])
    assert project.traces.get().name == "ours"
    assert other_project.traces.get().name == "theirs"
    assert project.observations.get().name == "ours"


def test_what_postgresql_cannot_hold_is_shown_as_replaced(project):
    nasty = "a\0b\ud83dc"
    ingest(
        project,
        [
            make_span(
                name=nasty,
                input=nasty,
                status_message=nasty,
                user_id=nasty,
                session_id=nasty,
                tags=(nasty,),
                metadata={nasty: [nasty, 1 << 80, float("nan")]},
                trace_metadata={nasty: {nasty: nasty}},
                usage={nasty: 1},
            )
        ],
    )
    shown = "a\ufffdb\ufffdc"
    trace, row = project.traces.get(), project.observations.get()
    assert (trace.name, trace.user_id, trace.session_id, trace.tags) == (shown, shown, shown, [shown])
    assert (row.name, row.input, row.status_message) == (shown, shown, shown)
    assert trace.metadata == {shown: {shown: shown}}
    assert project.sessions.get().id == shown


def test_ids_too_long_for_an_index_are_cut(project):
    long = "ä" * 5000
    ingest(project, [make_span(user_id=long, session_id=long, tags=(long,), metadata={"k": long}, input=long)])
    trace = project.traces.get()
    assert trace.user_id == trace.session_id == trace.tags[0] == "ä" * 255
    assert trace.metadata == {"k": long}


SPANS = [
    make_span(0, start=0, seconds=30, input="Hi", output="Bye", metadata={"k": "root", "r": 1}, user_id="ada"),
    make_span(1, start=1, tags=("x", "b"), input="1", output="one", trace_metadata={"k": "1"}, user_id="mel"),
    make_span(2, start=1, tags=("a",), trace_name="first", level="ERROR", input_tokens=3, session_id="s"),
    make_span(3, start=2, trace_name="second", total_cost=0.25, trace_metadata={"k": "3", "m": {"a": 1}}),
    make_span(4, start=-604_800, environment="staging", total_tokens=9, trace_output="final", release="r"),
    make_span(5, start=3, as_root=True, name="other root", input="other", version="v", environment="test"),
    make_span(6, start=3, seconds=1, trace_output="other", total_cost=0.125, public=True, version="w"),
]


@st.composite
def deliveries(draw):
    """The spans of one trace in any order, some of them several times, cut into batches anywhere."""
    order = draw(st.permutations(range(len(SPANS))))
    order = list(order) + draw(st.lists(st.sampled_from(range(len(SPANS))), max_size=5))
    order = draw(st.permutations(order))
    cuts = sorted(draw(st.sets(st.integers(1, len(order) - 1), max_size=6)))
    return [order[start:end] for start, end in zip([0, *cuts], [*cuts, len(order)], strict=True)]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=deliveries())
def test_order_batches_and_repetitions_change_nothing(project, other_project, batches):
    with transaction.atomic():
        ingest(other_project, SPANS)
        for batch in batches:
            ingest(project, [SPANS[number] for number in batch])
        expected, found = the_trace(other_project), the_trace(project)
        ours, theirs = the_observations(project), the_observations(other_project)
        transaction.set_rollback(True)
    for rows in ([expected], [found], ours, theirs):
        for row in rows:
            del row["project_id"]
    assert found == expected
    assert ours == theirs


@pytest.mark.django_db(transaction=True)
def test_writers_of_the_same_traces_at_once_lose_nothing():
    project = make_project()
    writers, traces = 6, 5
    start, errors = threading.Barrier(writers), []

    def deliver(writer):
        try:
            start.wait()
            for round in range(8):
                # Each in another order, half of the spans also sent by the next writer.
                names = [f"t{(number + writer) % traces}" for number in range(traces)]
                spans = [
                    make_span(
                        trace=name,
                        id=f"w{(writer + twin) % writers}-{round}",
                        parent_id="p",
                        input_tokens=1,
                        session_id="s",
                    )
                    for name in names
                    for twin in (0, 1)
                ]
                # Past the group commit, which would have them take turns.
                store.write([(project.pk, spans)])
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=deliver, args=[writer]) for writer in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    for trace in project.traces.all():
        assert (trace.observation_count, trace.input_tokens) == (writers * 8, writers * 8)
    assert project.observations.count() == traces * writers * 8
    assert Session.objects.count() == 1


def test_a_trace_may_be_spoken_of_without_any_observation(project):
    said = {"trace_name": "chat", "tags": ("a",), "session_id": "s", "trace_metadata": {"k": 1}}
    ingest(project, [make_span(id="", start=50, seconds=500, **said)])
    trace = Trace.objects.get()
    assert (trace.name, trace.tags, trace.metadata) == ("chat", ["a"], {"k": 1})
    assert (trace.observation_count, trace.end_time, trace.root_observation_id) == (0, None, None)
    assert Session.objects.get().last_seen == T0 + timedelta(seconds=50)

    ingest(project, [make_span(0, start=60, seconds=5), make_span(id="", start=900, tags=("b",))])
    trace = Trace.objects.get()
    assert (trace.name, trace.tags, trace.observation_count) == ("chat", ["a", "b"], 1)
    assert (trace.timestamp, trace.end_time) == (T0 + timedelta(seconds=50), T0 + timedelta(seconds=65))
    assert trace.root_observation_id == "s0"
    assert Observation.objects.count() == 1

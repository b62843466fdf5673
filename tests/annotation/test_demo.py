"""The demo project: its generator, and what the command makes of it."""

import base64
import json
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils.dateparse import parse_datetime
from django.utils.timezone import now

from annotation.actions import reserve_next_item
from annotation.demo.failures import Failure
from annotation.demo.project import DAYS, build
from evalapp.projects.models import Project
from evalapp.traces.models import Level, ObservationType
from tests.factories import make_config, make_project

NOW = datetime(2026, 3, 17, 10, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def demo():
    return build("demo", NOW)


@pytest.fixture(scope="module")
def traces(demo):
    """{trace id: its spans, in order}"""
    spans = defaultdict(list)
    for span in demo.spans:
        spans[span.trace_id].append(span)
    return spans


def generations(traces):
    return [span for spans in traces.values() for span in spans if span.type == "GENERATION"]


def messages(span):
    request = json.loads(span.input)
    return request if isinstance(request, list) else request["messages"]


def test_there_are_72_traces_of_4_to_20_observations(demo, traces):
    assert len(traces) == len(set(demo.trace_ids)) == 72
    assert all(4 <= len(spans) <= 20 for spans in traces.values())


def test_the_same_project_gets_the_same_ids_and_another_project_others(demo):
    again, elsewhere = build("demo", NOW + timedelta(days=40)), build("elsewhere", NOW)
    assert [(s.trace_id, s.id, s.name) for s in again.spans] == [(s.trace_id, s.id, s.name) for s in demo.spans]
    assert again.to_review == demo.to_review
    assert not {s.trace_id for s in elsewhere.spans} & set(demo.trace_ids)
    assert [s.name for s in elsewhere.spans] == [s.name for s in demo.spans]


def test_times_nest_and_lie_in_the_last_days(traces):
    for spans in traces.values():
        by_id = {span.id: span for span in spans}
        assert len(by_id) == len(spans)
        assert [span.id for span in spans if span.is_root] == [spans[0].id]
        for span in spans:
            parent = by_id[span.parent_id] if span.parent_id else span
            assert NOW - timedelta(days=DAYS) < parent.start_time <= span.start_time
            assert span.start_time < span.end_time <= parent.end_time < NOW
    starts = sorted(spans[0].start_time for spans in traces.values())
    assert starts[-1] > NOW - timedelta(hours=1)
    assert len({start.date() for start in starts}) >= DAYS - 1


def test_every_failure_is_planted_where_it_shows(demo, traces):
    assert {planted.failure for planted in demo.planted} == set(Failure)
    for planted in demo.planted:
        assert planted.observation_id in {span.id for span in traces[planted.trace_id]}
    failing = Counter(planted.trace_id for planted in demo.planted)
    assert 0.4 <= len(failing) / len(traces) <= 0.5
    assert max(failing.values()) == 2
    often = sorted(Counter(planted.failure for planted in demo.planted).values(), reverse=True)
    assert often[0] >= 3 * often[len(often) // 2], "a few common failures, many rare ones"


def test_nothing_in_the_traces_gives_the_failures_away(demo):
    text = "".join(f"{span.name} {span.trace_name} {span.metadata} {span.trace_metadata}" for span in demo.spans)
    assert "fail" not in text.lower()
    for failure in Failure:
        assert failure.value not in text
    assert all(span.trace_metadata["synthetic"] is True for span in demo.spans)


def test_mistyped_numbers_differ_from_what_the_customer_wrote(demo, traces):
    found = [planted for planted in demo.planted if planted.failure == Failure.WRONG_ARGUMENT]
    for planted in found:
        spans = traces[planted.trace_id]
        call = next(span for span in spans if span.id == planted.observation_id)
        assert json.loads(call.input)["order_number"] not in spans[0].input


def test_claims_of_success_follow_a_tool_error(demo, traces):
    for planted in demo.planted:
        if planted.failure == Failure.FALSE_SUCCESS:
            spans = traces[planted.trace_id]
            place = [span.id for span in spans].index(planted.observation_id)
            assert spans[place].type == "GENERATION"
            assert spans[place - 1].level == Level.ERROR and spans[place - 1].status_message


def test_each_model_call_repeats_the_history_and_tools_answer_calls(traces):
    for spans in traces.values():
        earlier = None
        calls, answers = [], []
        for span in spans:
            if span.type == "GENERATION":
                history, answer = messages(span), json.loads(span.output)
                assert history[0]["role"] == "system" and history[-1]["role"] in ("user", "tool")
                if earlier:
                    assert history[: len(earlier)] == earlier
                earlier = [*history, answer]
                calls += [call["id"] for call in answer.get("tool_calls", ())]
                assert span.model and span.total_tokens == span.input_tokens + span.output_tokens
                assert span.total_cost > 0 and span.completion_start_time < span.end_time
            elif span.type == "TOOL":
                answers.append(span.metadata["tool_call_id"])
                assert json.loads(span.input) and span.output
        assert calls == answers


def test_the_data_is_varied(demo, traces):
    roots = [spans[0] for spans in traces.values()]
    assert {"AGENT", "SPAN", "GENERATION", "TOOL", "RETRIEVER", "GUARDRAIL"} <= {s.type for s in demo.spans}
    assert {span.type for span in demo.spans} <= set(ObservationType)
    assert {span.level for span in demo.spans} == {"DEFAULT", "WARNING", "ERROR"}
    assert {root.environment for root in roots} == {"production", "staging"}
    assert {root.version for root in roots} == {"v11", "v12", "v13"}
    assert {tag.split(":")[0] for root in roots for tag in root.tags} == {"channel", "locale"}
    assert {"locale:de-DE", "locale:fr-FR", "locale:es-ES", "locale:ja-JP"} < {
        t for root in roots for t in root.tags
    }
    sessions = Counter(root.session_id for root in roots if root.session_id)
    assert sum(count > 1 for count in sessions.values()) >= 5
    assert len({root.user_id for root in roots}) >= 20
    assert len({root.input for root in roots}) == len(roots), "no two conversations begin alike"


def test_the_hard_cases_for_a_reader_are_there(demo, traces):
    answers = [span.output for spans in traces.values() for span in spans if span.is_root]
    assert any("|---|" in answer for answer in answers)
    assert any(len(span.output or "") > 2500 for span in demo.spans if span.type == "SPAN")
    assert any(answer.startswith("{") and json.loads(answer) for answer in answers)
    assert any(len(span.output) > 30_000 for span in demo.spans if span.type == "TOOL")
    parts = [
        part
        for span in generations(traces)
        for message in messages(span)
        if isinstance(message["content"], list)
        for part in message["content"]
    ]
    urls = {part["image_url"]["url"] for part in parts if part["type"] == "image_url"}
    assert len(urls) >= 3
    for url in urls:
        kind, _, body = url.partition(",")
        assert kind == "data:image/png;base64"
        assert base64.b64decode(body, validate=True).startswith(b"\x89PNG\r\n\x1a\n")


def test_the_first_queue_begins_with_a_short_failure_and_holds_each_kind(demo, traces):
    assert len(demo.to_review) == len(set(demo.to_review)) == 40
    assert set(demo.to_review) <= set(traces)
    planted = {p.failure for p in demo.planted if p.trace_id in set(demo.to_review)}
    assert planted == set(Failure)
    first = {p.trace_id: p.failure for p in demo.planted}[demo.to_review[0]]
    assert first == Failure.REFUND_OUTSIDE_POLICY


def test_feedback_is_about_traces_that_exist(demo, traces):
    assert {feedback.name for feedback in demo.feedback} == {"user-feedback", "latency-ok"}
    assert len({feedback.id for feedback in demo.feedback}) == len(demo.feedback)
    for feedback in demo.feedback:
        assert feedback.trace_id in traces
        assert feedback.at < NOW
    assert {True, False} == {f.value for f in demo.feedback if f.name == "user-feedback"}


# What the command makes of it


@pytest.fixture
def filled(project, ada):
    call_command("create_demo", project=project.pk, stdout=StringIO())
    project.refresh_from_db()
    return project


def rows(project):
    """Everything that a second run could double or change."""
    return {
        "traces": list(project.traces.order_by("id").values_list("id", "timestamp", "observation_count")),
        "observations": project.observations.count(),
        "sessions": project.sessions.count(),
        "scores": list(project.scores.order_by("id").values_list("id", "updated_at")),
        "configs": project.score_configs.count(),
        "items": list(project.queue_items.order_by("position").values_list("object_id")),
        "metadata": project.metadata,
    }


def test_the_command_fills_the_project(filled, ada):
    assert filled.is_demo
    assert filled.traces.count() == 72
    assert filled.traces.filter(metadata__synthetic=True).count() == 72
    assert filled.observations.count() == sum(filled.traces.values_list("observation_count", flat=True))
    assert filled.traces.filter(error_count__gt=0).exists()
    assert not filled.traces.filter(input_preview=None).exists()
    assert filled.traces.newest_first().first().timestamp > now() - timedelta(hours=1)
    assert filled.scores.filter(name="user-feedback", source="API").exists()
    assert dict(filled.score_configs.values_list("name", "data_type")) == {
        "Note": "TEXT",
        "Pass": "BOOLEAN",
        "Severity": "CATEGORICAL",
        "Helpfulness": "NUMERIC",
    }


def test_the_queue_is_ready_to_review(filled, ada):
    queue = filled.annotation_queues.get()
    assert "synthetic" in queue.description.lower()
    assert [field.config.name for field in queue.questions] == ["Note", "Pass", "Severity"]
    assert queue.progress() == {"total": 40, "completed": 0}
    assert queue.created_by == ada
    review = reserve_next_item(queue, reviewer=ada)
    assert review.item.object_id == queue.items.in_order().first().object_id
    assert filled.traces.filter(id=review.item.object_id).exists()
    assert not filled.scores.filter(source="ANNOTATION").exists()


def test_planted_observations_are_stored(filled):
    demo = build(filled.pk, parse_datetime(filled.metadata["demo_made_at"]))
    stored = set(filled.observations.values_list("trace_id", "id"))
    assert {(planted.trace_id, planted.observation_id) for planted in demo.planted} <= stored


def test_nothing_stored_gives_the_failures_away(filled):
    stored = json.dumps(
        [
            list(filled.traces.values_list("name", "metadata", "tags", "input_preview")),
            list(filled.observations.values_list("name", "metadata", "status_message")),
            list(filled.scores.values_list("name", "comment", "metadata")),
        ]
    )
    for failure in Failure:
        assert failure.value not in stored and failure.name not in stored


def test_again_it_changes_nothing(filled):
    before = rows(filled)
    call_command("create_demo", project=filled.pk, stdout=StringIO())
    filled.refresh_from_db()
    assert rows(filled) == before


def test_again_it_does_not_bring_back_what_people_deleted(filled):
    filled.annotation_queues.get().delete()
    call_command("create_demo", project=filled.pk, stdout=StringIO())
    assert not filled.annotation_queues.exists()


def test_it_is_made_whole_or_not_at_all(project):
    make_config(project, "Note", "NUMERIC")
    with pytest.raises(CommandError, match="already a score config “Note”"):
        call_command("create_demo", project=project.pk, stdout=StringIO())
    project.refresh_from_db()
    assert not project.is_demo and not project.metadata
    assert not project.traces.exists() and not project.scores.exists() and not project.sessions.exists()


def test_two_projects_do_not_meet(filled, other_project):
    call_command("create_demo", project=other_project.pk, stdout=StringIO())
    assert other_project.traces.count() == filled.traces.count() == 72
    assert other_project.annotation_queues.get().items.count() == 40


def test_an_unknown_project_is_refused(db):
    with pytest.raises(CommandError, match="no such project"):
        call_command("create_demo", project="nowhere")


def test_the_first_start_makes_the_demo_and_a_start_after_a_crash_makes_up_for_it(db):
    call_command("provision", stdout=StringIO())
    demo = Project.objects.get(is_demo=True)
    assert demo.traces.count() == 72
    Project.objects.update(is_demo=False)
    died = make_project("Died before it was filled")
    Project.objects.filter(pk=died.pk).update(is_demo=True)
    call_command("provision", stdout=StringIO())
    assert died.annotation_queues.get().items.count() == 40

"""What a trace reads like: each message once, each tool call with its result, whatever the client repeated."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.http import QueryDict

from evalapp.traces.models import Observation, Trace
from evalapp.traces.reading import ENTRIES, ROWS, read_payload, read_trace
from tests.factories import make_trace

START = datetime(2026, 11, 18, tzinfo=UTC)


def record(project, observations, **fields):
    """A trace of exactly these observations; "in" and "out" are made into JSON, time follows their order."""
    rows = []
    for index, row in enumerate(observations):
        row = {"id": f"o{index}", "parent_id": "o0" if index else None, **row}
        for short, name in (("in", "input"), ("out", "output"), ("meta", "metadata")):
            value = row.pop(short, None)
            row[name] = value if value is None or isinstance(value, str) else json.dumps(value)
        row.setdefault("start_time", START + timedelta(seconds=index))
        row.setdefault("end_time", row["start_time"] + timedelta(seconds=1))
        rows.append(row)
    trace = Trace.objects.create(
        project=project,
        id=fields.pop("id", "t1"),
        timestamp=min(row["start_time"] for row in rows),
        end_time=max(row["end_time"] for row in rows),
        observation_count=len(rows),
        **fields,
    )
    Observation.objects.bulk_create(Observation(project=project, trace_id=trace.id, **row) for row in rows)
    return trace


def conversation(project, observations, **fields):
    """The conversation as lines: "user: hi", "assistant: hello", "  lookup(id=1) -> found"."""
    reading = read_trace(project, record(project, observations, **fields).id)
    return list(lines(reading.entries))


def lines(entries):
    for entry in entries:
        text = " / ".join(map(_text, entry.parts))
        if entry.kind == "step":
            yield f"step: {entry.node.observation.name}"
        elif text or not entry.calls:
            yield f"{entry.role}: {text}"
        for card in entry.calls:
            result = card.result if card.result is None else " / ".join(map(_text, card.result))
            yield f"  {card.name}({card.arguments_line}) -> {result}{' !' if card.is_error else ''}"


def _text(part):
    return part if isinstance(part, str) else json.dumps(part)


def user(text):
    return {"role": "user", "content": text}


def assistant(text=None, *calls):
    called = [
        {"id": identity, "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
        for identity, name, arguments in calls
    ]
    return {"role": "assistant", "content": text} | ({"tool_calls": called} if called else {})


def tool(identity, text):
    return {"role": "tool", "tool_call_id": identity, "content": text}


SYSTEM = {"role": "system", "content": "You are helpful."}


def test_calls_that_repeat_the_history_are_read_once(project):
    call = assistant(None, ("c1", "lookup", {"id": 1}))
    assert conversation(
        project,
        [
            {"type": "AGENT", "in": "Hi", "out": "Bye"},
            {"type": "GENERATION", "in": [SYSTEM, user("Hi")], "out": call},
            {"type": "TOOL", "name": "lookup", "in": {"id": 1}, "out": '{"found": true}'},
            {
                "type": "GENERATION",
                "in": [SYSTEM, user("Hi"), call, tool("c1", '{"found":true}')],
                "out": assistant("Yes?"),
            },
            {
                "type": "GENERATION",
                "in": [SYSTEM, user("Hi"), call, tool("c1", '{"found":true}'), assistant("Yes?"), user("No")],
                "out": assistant("Bye"),
            },
        ],
    ) == [
        "system: You are helpful.",
        "user: Hi",
        '  lookup(id=1) -> {"found": true}',
        "assistant: Yes?",
        "user: No",
        "assistant: Bye",
    ]


def test_calls_that_carry_only_the_last_message_are_read_in_order(project):
    """As in tau-bench: the same words of the user in two turns are two messages."""
    turn = {"type": "SPAN", "name": "turn"}
    assert conversation(
        project,
        [
            {"type": "AGENT", "in": "yes", "out": "Done"},
            {**turn, "id": "s1", "in": "yes", "out": "Sure?"},
            {"type": "GENERATION", "parent_id": "s1", "in": [user("yes")], "out": {"content": "Sure?"}},
            {**turn, "id": "s2", "in": "yes", "out": "Done"},
            {
                "type": "GENERATION",
                "parent_id": "s2",
                "in": [user("yes")],
                "out": {"content": None, "tool_calls": [{"id": "a", "name": "do", "arguments": "{}"}]},
            },
            {"type": "TOOL", "parent_id": "s2", "name": "do", "in": {}, "out": "", "meta": {"call_id": "a"}},
            {
                "type": "GENERATION",
                "parent_id": "s2",
                "in": [{"role": "tool", "name": "do", "content": ""}],
                "out": {"content": "Done"},
            },
            {**turn, "id": "s3", "in": "thanks", "out": None},
        ],
    ) == ["user: yes", "assistant: Sure?", "user: yes", "  do() -> ", "assistant: Done", "user: thanks"]


def test_call_ids_that_start_anew_each_turn_join_the_latest_call(project):
    def turn(number):
        call = {"content": None, "tool_calls": [{"id": "call_0", "name": f"step_{number}", "arguments": "{}"}]}
        return [
            {"type": "GENERATION", "in": [user(f"go {number}")], "out": call},
            {"type": "TOOL", "name": f"step_{number}", "out": f"r{number}", "meta": {"call_id": "call_0"}},
        ]

    assert conversation(project, [{"type": "AGENT", "in": "go 1"}, *turn(1), *turn(2)]) == [
        "user: go 1",
        "  step_1() -> r1",
        "user: go 2",
        "  step_2() -> r2",
    ]


def test_a_failed_tool_is_an_error_in_the_card_of_its_call(project):
    assert conversation(
        project,
        [
            {"type": "GENERATION", "in": [user("go")], "out": assistant(None, ("c", "pay", {"amount": 5}))},
            {"type": "TOOL", "name": "pay", "in": {"amount": 5}, "out": "Error: card expired", "level": "ERROR"},
        ],
    ) == ["user: go", "  pay(amount=5) -> Error: card expired !"]


def test_parallel_calls_of_one_tool_keep_their_own_results(project):
    calls = assistant(None, ("a", "get", {"n": 1}), ("b", "get", {"n": 2}))
    assert conversation(
        project,
        [
            {"type": "GENERATION", "in": [user("both")], "out": calls},
            {"type": "TOOL", "name": "get", "in": {"n": 2}, "out": "two"},
            {"type": "TOOL", "name": "get", "in": {"n": 1}, "out": "one"},
        ],
    ) == ["user: both", "  get(n=1) -> one", "  get(n=2) -> two"]


def test_a_model_call_wrapped_in_another_is_read_once(project):
    chat = {"type": "GENERATION", "in": [SYSTEM, user("Hi")], "out": assistant("Hello")}
    assert conversation(
        project, [{"type": "CHAIN", "in": "Hi", "out": "Hello"}, chat, {**chat, "parent_id": "o1"}]
    ) == [
        "system: You are helpful.",
        "user: Hi",
        "assistant: Hello",
    ]


def test_a_sub_agents_history_does_not_repeat_the_outer_one(project):
    outer = [SYSTEM, user("Plan it"), assistant(None, ("c", "research", {"topic": "x"}))]
    inner_system = {"role": "system", "content": "You research."}
    assert conversation(
        project,
        [
            {"type": "AGENT", "in": "Plan it", "out": "Planned"},
            {"type": "GENERATION", "in": outer[:2], "out": outer[2]},
            {"type": "TOOL", "name": "research", "in": {"topic": "x"}, "out": "facts"},
            {"type": "GENERATION", "parent_id": "o2", "in": [inner_system, user("x?")], "out": assistant("facts")},
            {"type": "GENERATION", "in": [*outer, tool("c", "facts")], "out": assistant("Planned")},
        ],
    ) == [
        "system: You are helpful.",
        "user: Plan it",
        '  research(topic="x") -> facts',
        "system: You research.",
        "user: x?",
        "assistant: facts",
        "assistant: Planned",
    ]


def test_without_a_model_the_trace_reads_as_input_steps_output(project):
    assert conversation(
        project,
        [
            {"type": "CHAIN", "name": "root", "in": {"question": "Why?"}, "out": {"answer": "Because."}},
            {"type": "RETRIEVER", "name": "search", "in": "Why?", "out": [{"id": 1}]},
            {"type": "SPAN", "name": "rank", "in": [1], "out": [1]},
        ],
    ) == ["input: Why?", "step: search", "step: rank", "output: Because."]


def test_a_model_that_failed_says_so(project):
    reading = read_trace(
        project,
        record(
            project,
            [{"type": "GENERATION", "in": [user("Hi")], "level": "ERROR", "status_message": "429 Too many"}],
        ).id,
    )
    assert [entry.error for entry in reading.entries] == ["", "429 Too many"]


def test_what_the_client_set_on_the_trace_comes_first_and_last(project):
    assert conversation(
        project,
        [{"type": "SPAN", "in": "raw"}, {"type": "GENERATION", "in": [user("Hi")], "out": assistant("Hello")}],
        input="Hi",
        output='{"answer": "Goodbye"}',
    ) == ["user: Hi", "assistant: Hello", "output: Goodbye"]


@pytest.mark.parametrize("parents", [["o1", "o0"], ["gone", "o0"], ["o0", "o1"], [None, None]])
def test_parents_that_are_missing_or_circular_lose_no_observation(project, parents):
    rows = [{"parent_id": parent, "in": "x"} for parent in parents]
    reading = read_trace(project, record(project, rows).id, params=QueryDict("view=tree"))
    assert sorted(node.observation.id for node in reading.rows) == ["o0", "o1"]


def test_the_tree_is_in_order_of_start_then_id(project):
    same = START + timedelta(seconds=9)
    rows = [{}, {"id": "z", "start_time": same}, {"id": "a", "start_time": same}, {"id": "m", "parent_id": "z"}]
    reading = read_trace(project, record(project, rows).id, params=QueryDict("view=tree"))
    assert [(node.observation.id, node.depth) for node in reading.rows] == [
        ("o0", 0),
        ("a", 1),
        ("z", 1),
        ("m", 2),
    ]


def test_five_thousand_observations_are_read_by_the_window(project, django_assert_max_num_queries):
    rows = [{}, *({"type": "SPAN", "name": "s", "in": "x", "parent_id": f"o{n}"} for n in range(4999))]
    trace = record(project, rows)
    with django_assert_max_num_queries(4):
        tree = read_trace(project, trace.id, params=QueryDict("view=tree&observation=o4321"))
    assert (len(tree.rows), tree.total, tree.start) == (ROWS, 5000, 4200)
    assert tree.panel.observation.id == "o4321"
    with django_assert_max_num_queries(3):
        chat = read_trace(project, trace.id, params=QueryDict("from=100"))
    assert len(chat.entries) == ENTRIES and chat.later == 180 and chat.earlier == 20


def test_a_reading_costs_the_same_queries_however_many_observations(project, django_assert_num_queries):
    small, large = make_trace(project), make_trace(project, observations=[{"type": "SPAN"}] * 20)
    for trace in (small, large):
        with django_assert_num_queries(3):
            read_trace(project, trace.id)


def test_ten_megabytes_are_cut_for_the_page_and_whole_in_the_download(project):
    text = "word " * 2_000_000
    trace = record(project, [{"type": "GENERATION", "in": text, "out": "ok"}])
    reading = read_trace(project, trace.id)
    block = reading.entries[0].blocks[0]
    assert len(block.text) + len(block.rest.text) < 21_000 and block.rest.cut
    panel = read_trace(project, trace.id, params=QueryDict("part=observation&observation=o0")).panel
    assert panel.input_is_cut
    assert read_payload(project, trace, "o0", "input") == text


def test_another_projects_trace_is_not_there(project, other_project):
    trace = make_trace(other_project)
    with pytest.raises(Trace.DoesNotExist):
        read_trace(project, trace.id)

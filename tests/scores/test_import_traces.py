"""Importing a corpus: all of it, twice the same, or nothing."""

import json
import os
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils.timezone import now

from evalapp.core import payload
from evalapp.scores.models import Score
from evalapp.traces.models import Observation

TRACE = {
    "id": "00000000000000a1",
    "source": "made-up",
    "name": "task 1",
    "session_id": "s1",
    "user_id": None,
    "tags": ["b", "a"],
    "input": "Hello",
    "output": "Bye",
    "metadata": {"task": 1, "system_prompt_ref": "p1"},
    "observations": [
        {
            "id": "01",
            "parent_id": None,
            "seq": 0,
            "type": "AGENT",
            "name": "agent",
            "input": "Hello",
            "output": "Bye",
        },
        {"id": "02", "parent_id": "01", "seq": 1, "type": "SPAN", "name": "turn 1", "input": "Hello"},
        {
            "id": "03",
            "parent_id": "02",
            "seq": 2,
            "type": "GENERATION",
            "name": "assistant",
            "model": "gpt-4o",
            "input": [{"role": "user", "content": "Hello"}],
            "output": {"content": "Bye"},
            "metadata": {"message_index": 2},
        },
        {
            "id": "04",
            "parent_id": "01",
            "seq": 3,
            "type": "TOOL",
            "name": "look",
            "level": "ERROR",
            "input": {"a": 1},
        },
    ],
}
NOTE = {
    "id": "00000000000000b1",
    "trace_id": TRACE["id"],
    "observation_id": "04",
    "name": "open_coding",
    "data_type": "TEXT",
    "value": "Looked in the wrong place",
    "comment": None,
    "annotator": "team",
    "annotator_kind": "human",
    "metadata": {"step_number": 4},
    "gold": ["Wrong place"],
}
LABEL = {
    **NOTE,
    "id": "00000000000000b2",
    "observation_id": None,
    "name": "success",
    "data_type": "BOOLEAN",
    "value": False,
    "annotator_kind": "program",
    "gold": None,
}


@pytest.fixture
def corpus(tmp_path):
    """A folder with one trace, one note and one label; `write` replaces a file."""

    def write(name, *rows):
        lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
        (tmp_path / name).write_text("\n".join(lines) + "\n")

    write("traces.jsonl", TRACE)
    write("notes.jsonl", NOTE)
    write("labels.jsonl", LABEL)
    (tmp_path / "system_prompts.json").write_text(json.dumps({"p1": "Be kind."}))
    tmp_path.joinpath("README.md").write_text("not to be imported")
    return tmp_path, write


def run(path, project):
    output = StringIO()
    call_command("import_traces", str(path), "--project", project.pk, stdout=output)
    return dict(reversed(line.split()) for line in output.getvalue().splitlines())


def test_a_corpus_is_imported(corpus, project):
    counts = run(corpus[0], project)
    assert counts == {"traces": "1", "observations": "4", "notes": "1", "labels": "1"}
    trace = project.traces.get()
    assert (trace.id, trace.name, trace.session_id) == ("0" * 16 + TRACE["id"], "task 1", "s1")
    assert trace.tags == ["a", "b"]
    assert trace.metadata == {**TRACE["metadata"], "timestamps": "synthetic", "source": "made-up"}
    assert (trace.input_preview, trace.output_preview, trace.error_count) == ("Hello", "Bye", 1)
    assert timedelta(0) <= now() - trace.end_time < timedelta(minutes=1)

    agent, turn, generation, tool = project.observations.of_trace(trace)
    assert [row.name for row in (agent, turn, generation, tool)] == ["agent", "turn 1", "assistant", "look"]
    assert agent.end_time == tool.end_time == trace.end_time
    assert turn.end_time == generation.end_time <= tool.start_time
    assert payload.load(generation.input) == [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Hello"},
    ]
    assert payload.load(tool.input) == {"a": 1}

    note, label = project.scores.order_by("id")
    assert (note.trace_id, note.observation_id, note.string_value) == (trace.id, "04", NOTE["value"])
    assert (note.source, label.source, label.value) == ("ANNOTATION", "API", 0)
    assert note.metadata == {
        "step_number": 4,
        "annotator": "team",
        "annotator_kind": "human",
        "gold": ["Wrong place"],
    }


def test_importing_again_changes_nothing(corpus, project):
    def rows():
        hidden = ("created_at", "updated_at")
        traces = project.traces.values()
        observations = Observation.objects.filter(project=project).order_by("id").values()
        scores = Score.objects.filter(project=project).order_by("id").values()
        return [
            {key: value for key, value in row.items() if key not in (*hidden, "timestamp")}
            for row in (*traces, *observations, *scores)
        ]

    run(corpus[0], project)
    first = rows()
    run(corpus[0], project)
    assert rows() == first


@pytest.mark.parametrize(
    ("file", "rows", "words"),
    [
        ("traces.jsonl", [TRACE, "{broken"], ["traces.jsonl:2", "not JSON"]),
        ("traces.jsonl", [TRACE, "[]"], ["traces.jsonl:2", "not a JSON object"]),
        ("traces.jsonl", [TRACE, {**TRACE, "id": 7}], ["traces.jsonl:2", "id is 7"]),
        ("traces.jsonl", [{**TRACE, "observations": []}], ["traces.jsonl:1", "observations"]),
        (
            "traces.jsonl",
            [{**TRACE, "observations": TRACE["observations"][:1] * 2}],
            ["traces.jsonl:1", "01", "twice"],
        ),
        ("notes.jsonl", ["", {**NOTE, "value": ""}], ["notes.jsonl:2", "text"]),
        ("labels.jsonl", [{**LABEL, "data_type": "MOOD"}], ["labels.jsonl:1", "MOOD"]),
        ("labels.jsonl", [{**LABEL, "trace_id": None}], ["labels.jsonl:1", "trace_id"]),
    ],
)
def test_a_bad_row_is_named_and_nothing_is_imported(corpus, project, file, rows, words):
    path, write = corpus
    write(file, *rows)
    with pytest.raises(CommandError) as caught:
        run(path, project)
    for word in words:
        assert word in str(caught.value)
    assert not project.traces.exists()
    assert not project.observations.exists()
    assert not project.scores.exists()


def test_one_file_can_be_imported(corpus, project):
    assert run(corpus[0] / "notes.jsonl", project) == {"notes": "1"}
    assert project.scores.count() == 1


def test_an_unknown_project_or_path_is_told(corpus, project):
    with pytest.raises(CommandError, match="no such project"):
        call_command("import_traces", str(corpus[0]), "--project", "nowhere")
    with pytest.raises(CommandError, match="neither"):
        run(corpus[0] / "README.md", project)


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("agentrx_tau_retail", {"traces": 102, "observations": 3142, "notes": 97, "labels": 141}),
        ("tau_airline", {"traces": 200, "observations": 5308, "labels": 400}),
    ],
)
def test_real_corpora_are_imported(project, name, counts):
    if not os.environ.get("EVALAPP_CORPORA"):
        pytest.skip("EVALAPP_CORPORA names no folder with real corpora")
    found = run(Path(os.environ["EVALAPP_CORPORA"]) / name, project)
    assert {key: int(value.replace(",", "")) for key, value in found.items()} == counts
    assert project.traces.count() == counts["traces"]
    assert project.observations.count() == counts["observations"]
    assert project.scores.count() == counts["labels"] + counts.get("notes", 0)
    known = set(project.traces.values_list("id", flat=True))
    assert set(project.scores.values_list("trace_id", flat=True)) <= known
    for trace in project.traces.all():
        assert trace.input_preview and "role" not in trace.input_preview

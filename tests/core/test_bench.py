"""How benches report, and how they are chosen."""

import pytest
from django.core.management import call_command

from evalapp.core.bench import Figure, percentile, table


def test_figures_are_judged_against_their_goal():
    assert Figure("a", 5, "x").verdict == ""
    assert Figure("a", 5, "x", goal=4).verdict == "met"
    assert Figure("a", 5, "x", goal=6).verdict == "MISSED"
    assert Figure("a", 5, "ms", goal=6, lower_is_better=True).verdict == "met"
    assert Figure("a", 5, "ms", goal=4, lower_is_better=True).verdict == "MISSED"


def test_percentiles_are_values_that_were_measured():
    values = [5, 1, 4, 2, 3]
    assert [percentile(values, percent) for percent in (0, 50, 95, 100)] == [1, 3, 5, 5]


def test_the_table_shows_value_goal_and_verdict():
    head, line = table([Figure("ingest", 12345.6, "spans/s", goal=16950, note="p50 3 ms")])
    assert head.split() == ["what", "value", "unit", "goal"]
    assert line.split() == ["ingest", "12,346", "spans/s", "≥", "16,950", "MISSED", "p50", "3", "ms"]


def test_an_unknown_bench_is_told(capsys):
    with pytest.raises(SystemExit):
        call_command("bench", "nonsense")
    assert "ingest" in capsys.readouterr().err

import math

import pytest
from django.core.exceptions import ValidationError

from evalapp.scores.actions import (
    TEXT_LIMIT,
    archive_score_config,
    build_score,
    clear_score,
    create_score_config,
    record_score,
    restore_score_config,
    save_scores,
    update_score_config,
)
from evalapp.scores.models import DataType, Score, Source
from tests.factories import make_config

TONE = [{"label": "warm", "value": 1}, {"label": "cold", "value": 0}]


@pytest.mark.parametrize(
    ("value", "data_type", "stored"),
    [
        (0.5, None, (DataType.NUMERIC, 0.5, None)),
        (3, None, (DataType.NUMERIC, 3.0, None)),
        ("good", None, (DataType.CATEGORICAL, None, "good")),
        (True, None, (DataType.BOOLEAN, 1.0, "True")),
        (0.0, "BOOLEAN", (DataType.BOOLEAN, 0.0, "False")),
        ("a note", "TEXT", (DataType.TEXT, None, "a note")),
        ("better", "CORRECTION", (DataType.CORRECTION, None, "better")),
    ],
)
def test_the_data_type_is_given_or_follows_from_the_value(project, value, data_type, stored):
    record_score(project=project, trace_id="t", name="n", value=value, data_type=data_type)
    score = Score.objects.get()
    assert (score.data_type, score.value, score.string_value) == stored


@pytest.mark.parametrize(
    ("judgement", "field"),
    [
        ({"value": "x", "data_type": "NUMERIC"}, "value"),
        ({"value": math.nan}, "value"),
        ({"value": math.inf}, "value"),
        ({"value": 2, "data_type": "BOOLEAN"}, "value"),
        ({"value": 1, "data_type": "CATEGORICAL"}, "value"),
        ({"value": "", "data_type": "TEXT"}, "value"),
        ({"value": "a" * (TEXT_LIMIT + 1), "data_type": "TEXT"}, "value"),
        ({"value": "nul\0", "data_type": "TEXT"}, "value"),
        ({"value": "half \ud800", "data_type": "TEXT"}, "value"),
        ({"value": 1, "data_type": "STARS"}, "data_type"),
        ({"value": 1, "name": ""}, "name"),
        ({"value": 1, "metadata": {"a": "\0"}}, "metadata"),
        ({"value": 1, "metadata": {"a": math.nan}}, "metadata"),
        ({"value": 1, "trace_id": "", "session_id": "s", "observation_id": "o"}, "observation_id"),
    ],
)
def test_a_judgement_that_breaks_a_rule_is_refused(project, judgement, field):
    with pytest.raises(ValidationError) as caught:
        record_score(**{"project": project, "trace_id": "t", "name": "n", **judgement})
    assert field in caught.value.message_dict
    assert not Score.objects.exists()


@pytest.mark.parametrize(
    "subject",
    [
        {},
        {"trace_id": "t", "session_id": "s"},
        {"observation_id": "o"},
        {"session_id": "s", "dataset_run_id": "r"},
    ],
)
def test_a_score_has_exactly_one_subject(project, subject):
    with pytest.raises(ValidationError):
        record_score(project=project, name="n", value=1, **subject)


def test_a_config_decides_name_type_range_and_category(project, other_project):
    stars = make_config(project, "Stars", DataType.NUMERIC, min_value=1, max_value=5)
    tone = make_config(project, "Tone", DataType.CATEGORICAL, categories=TONE)
    assert record_score(project=project, trace_id="t", config=stars, value=5).name == "Stars"
    score = record_score(project=project, trace_id="t", config=tone, value="warm")
    assert (score.value, score.string_value) == (1.0, "warm")
    for judgement in (
        {"config": stars, "value": 6},
        {"config": stars, "value": 0},
        {"config": stars, "value": 3, "data_type": "BOOLEAN"},
        {"config": stars, "value": 3, "name": "Points"},
        {"config": tone, "value": "lukewarm"},
        {"config": make_config(other_project, "Alien"), "value": 1},
    ):
        with pytest.raises(ValidationError):
            record_score(project=project, trace_id="t", **judgement)


def test_an_archived_config_takes_no_scores(project, ada):
    config = archive_score_config(make_config(project), by=ada)
    with pytest.raises(ValidationError):
        record_score(project=project, trace_id="t", config=config, value=1)


def test_the_same_id_again_replaces_the_score_and_keeps_when_it_was_made(project):
    first = record_score(project=project, id="s1", trace_id="t", name="n", value=1)
    first = Score.objects.get(id=first.id)
    record_score(project=project, id="s1", trace_id="t2", name="n", value=2, comment="better")
    again = Score.objects.get()
    assert (again.value, again.trace_id, again.comment) == (2.0, "t2", "better")
    assert again.created_at == first.created_at
    assert again.updated_at > first.updated_at


def test_one_id_in_two_projects_is_two_scores(project, other_project):
    for tenant in (project, other_project):
        record_score(project=tenant, id="s1", trace_id="t", name="n", value=1)
    assert project.scores.count() == other_project.scores.count() == 1


def test_one_id_twice_in_a_batch_keeps_the_last(project):
    save_scores([build_score(project=project, id="s", trace_id="t", name="n", value=v) for v in (1, 2)])
    assert Score.objects.get().value == 2


def test_judging_again_replaces_the_authors_own_score_and_never_a_colleagues(project, mel, ben):
    config = make_config(project)
    judgement = {"project": project, "trace_id": "t", "config": config, "source": Source.ANNOTATION}
    record_score(**judgement, author=mel, value=1)
    record_score(**judgement, author=ben, value=1)
    record_score(**judgement, author=ben, value=0)
    assert dict(Score.objects.values_list("author__name", "value")) == {"Mel": 1.0, "Ben": 0.0}


def test_a_correction_is_one_per_subject_and_named_output(project, ben):
    for value in ("first", "second"):
        record_score(project=project, trace_id="t", data_type="CORRECTION", value=value, author=ben)
    score = Score.objects.get()
    assert (score.name, score.string_value) == ("output", "second")
    with pytest.raises(ValidationError):
        record_score(project=project, session_id="s", data_type="CORRECTION", value="x")


def test_clearing_removes_one_score_of_this_project(project, other_project):
    for tenant in (project, other_project):
        record_score(project=tenant, id="s1", trace_id="t", name="n", value=1)
    assert clear_score(project=project, id="s1")
    assert not clear_score(project=project, id="s1")
    assert other_project.scores.exists()


def test_booleans_have_their_two_categories(project):
    config = create_score_config(project=project, name="Right", data_type="BOOLEAN")
    assert config.categories == [{"label": "True", "value": 1}, {"label": "False", "value": 0}]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": " ", "data_type": "TEXT"}, "name"),
        ({"name": "a" * 36, "data_type": "TEXT"}, "name"),
        ({"name": "Fix", "data_type": "CORRECTION"}, "data_type"),
        ({"name": "N", "data_type": "NUMERIC", "min_value": 2, "max_value": 2}, "max_value"),
        ({"name": "C", "data_type": "CATEGORICAL", "categories": []}, "categories"),
        (
            {"name": "C", "data_type": "CATEGORICAL", "categories": [*TONE, {"label": "warm", "value": 7}]},
            "categories",
        ),
        (
            {"name": "C", "data_type": "CATEGORICAL", "categories": [*TONE, {"label": "hot", "value": 1}]},
            "categories",
        ),
    ],
)
def test_a_config_that_makes_no_sense_is_refused(project, fields, field):
    with pytest.raises(ValidationError) as caught:
        create_score_config(project=project, **fields)
    assert field in caught.value.message_dict


def test_names_are_unique_among_active_configs(project, ada):
    first = create_score_config(project=project, name="Tone", data_type="TEXT")
    with pytest.raises(ValidationError):
        create_score_config(project=project, name="Tone", data_type="TEXT")
    archive_score_config(first, by=ada)
    create_score_config(project=project, name="Tone", data_type="TEXT")
    with pytest.raises(ValidationError):
        restore_score_config(first, by=ada)


def test_the_data_type_of_a_config_never_changes(project):
    config = make_config(project)
    with pytest.raises(ValidationError):
        update_score_config(config, data_type="TEXT")
    assert update_score_config(config, name="Renamed").name == "Renamed"

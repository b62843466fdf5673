"""Prompts as the SDKs write and read them."""

from urllib.parse import quote

import pytest
from django.test import Client

from tests import factories

URL = "/api/public/v2/prompts"


@pytest.fixture
def api(api_key):
    return Client(headers={"Authorization": api_key.basic})


def _create(api, name="greet", prompt="Hi {{name}}", status=201, **fields):
    response = api.post(URL, {"name": name, "prompt": prompt, **fields}, content_type="application/json")
    assert response.status_code == status, response.content
    return response.json()


def _get(api, name, status=200, **query):
    response = api.get(f"{URL}/{quote(name, safe='')}", query)
    assert response.status_code == status, response.content
    return response.json()


def test_a_new_prompt_is_version_1_and_latest(api, project):
    created = _create(api, labels=["production"], tags=["x"], config={"t": 1}, commitMessage="first")
    assert created["version"] == 1
    assert created["labels"] == ["production", "latest"]
    assert (created["type"], created["tags"], created["config"]) == ("text", ["x"], {"t": 1})
    assert (created["projectId"], created["commitMessage"]) == (project.pk, "first")


def test_a_label_moves_to_the_version_that_is_given_it(api):
    _create(api, labels=["production"])
    _create(api, prompt="Hello", labels=["production"])
    assert _get(api, "greet")["version"] == 2
    assert _get(api, "greet", version=1)["labels"] == []
    assert _get(api, "greet", label="latest")["version"] == 2


def test_tags_are_shared_inherited_and_replaced(api):
    _create(api, tags=["a"])
    assert _create(api, tags=None)["tags"] == ["a"]
    assert _create(api, tags=[])["tags"] == []
    assert _get(api, "greet", version=1)["tags"] == []


@pytest.mark.parametrize("name", ["folder/my prompt", "50 % off & more?", "préférence", "a/versions/1"])
def test_names_may_hold_anything_a_folder_needs(api, name):
    _create(api, name=name, labels=["production"])
    assert _get(api, name)["name"] == name


def test_a_chat_prompt_keeps_its_messages_and_placeholders(api):
    messages = [{"role": "system", "content": "You {{x}}"}, {"type": "placeholder", "name": "hist"}]
    _create(api, prompt=messages, type="chat", labels=[], tags=None)
    assert _get(api, "greet", label="latest")["prompt"] == messages


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        (
            {
                "prompt": [{"role": "user", "content": "{{x}}"}, {"type": "placeholder", "name": "x"}],
                "type": "chat",
            },
            "prompt",
        ),
        ({"prompt": "text", "type": "chat"}, "prompt"),
        ({"labels": ["Production!"]}, "labels"),
        ({"name": "a|b"}, "name"),
        ({"prompt": "@@@langfusePrompt:name=nowhere|label=production@@@"}, "prompt"),
    ],
)
def test_bad_input_names_the_field(api, fields, field):
    error = _create(api, **fields, status=400)["error"]
    assert [issue["path"] for issue in error] == [[field]]


def test_the_type_of_a_prompt_never_changes(api):
    _create(api)
    assert _create(api, prompt=[], type="chat", status=400)["error"][0]["path"] == ["type"]


def test_a_missing_prompt_says_which_label_was_asked_for(api):
    error = _get(api, "missing", status=404)
    assert error["message"] == "Prompt not found: 'missing' with label 'production'"
    assert error["error"] == "LangfuseNotFoundError"


def test_labels_are_added_to_a_version(api):
    _create(api, name="folder/greet", labels=["production"])
    url = f"{URL}/folder%2Fgreet/versions/1"
    response = api.patch(url, {"newLabels": ["staging"]}, content_type="application/json")
    assert response.json()["labels"] == ["production", "staging", "latest"]
    assert api.patch(url, {"newLabels": ["latest"]}, content_type="application/json").status_code == 400


def test_references_are_filled_in_unless_asked_not_to(api):
    _create(api, name="tone", prompt="Be kind.", labels=["production"])
    _create(api, prompt="@@@langfusePrompt:name=tone|label=production@@@ Hi.", labels=["production"])
    assert _get(api, "greet")["prompt"] == "Be kind. Hi."
    assert _get(api, "greet", resolve="false")["prompt"].startswith("@@@")


def test_prompts_that_refer_to_each_other_are_an_error_in_words(api):
    _create(api, labels=["production"])
    _create(api, prompt="@@@langfusePrompt:name=greet|label=production@@@", labels=["production"])
    assert "cycle" in _get(api, "greet", status=400)["error"][0]["message"]


def test_deleting_the_last_version_deletes_the_prompt(api, project):
    _create(api, labels=["production"])
    _create(api)
    assert api.delete(f"{URL}/greet?version=2").status_code == 204
    assert api.delete(f"{URL}/greet?label=staging").status_code == 404
    response = api.delete(f"{URL}/greet")
    assert (response.status_code, response.content) == (204, b"")
    assert not project.prompts.exists()


def test_the_list_shows_versions_and_labels(api):
    _create(api, labels=["production"], config={"v": 1})
    _create(api, tags=["x"], config={"v": 2})
    _create(api, name="other")
    page = api.get(URL, {"tag": "x"}).json()
    assert page["meta"] == {"page": 1, "limit": 10, "totalItems": 1, "totalPages": 1}
    [row] = page["data"]
    assert (row["versions"], row["labels"], row["lastConfig"]) == ([1, 2], ["production", "latest"], {"v": 2})


def test_another_projects_prompt_does_not_exist(api, other_project):
    stranger = Client(headers={"Authorization": factories.make_api_key(other_project, "sk-lf-other").basic})
    _create(api, labels=["production"])
    _get(stranger, "greet", status=404)

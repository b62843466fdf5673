"""Costs of what arrives: the client's own, the project's definitions, the price list."""

from datetime import UTC, datetime

import pytest
from django.test import Client

from evalapp.traces.actions import ingest
from evalapp.traces.spans import Span

URL = "/api/public/models"


@pytest.fixture
def api(api_key):
    return Client(headers={"Authorization": api_key.basic})


def _cost(project, **fields):
    span = Span(
        "a" * 32, "b" * 16, datetime.now(UTC), type="GENERATION", usage={"input": 1000, "output": 100}, **fields
    )
    ingest(project, [span])
    return project.observations.get().total_cost


def _define(api, status=200, **fields):
    body = {"modelName": "ours", "matchPattern": "(?i)^our-model-.*$", "unit": "TOKENS", "inputPrice": 0.001}
    response = api.post(URL, body | fields, content_type="application/json")
    assert response.status_code == status, response.content
    return response.json()


def test_a_known_model_is_priced_by_the_list(project):
    assert _cost(project, model="gpt-4o") == pytest.approx(0.0035)
    assert project.traces.get().total_cost == pytest.approx(0.0035)


def test_an_unknown_model_has_no_cost(project):
    assert _cost(project, model="our-model-1") is None


def test_the_clients_own_cost_wins(project):
    assert _cost(project, model="gpt-4o", cost={"total": 7.0}, total_cost=7.0) == 7


def test_a_definition_prices_its_models_and_beats_the_list(api, project):
    _define(api, matchPattern="gpt-4o", prices={"output": 0.01})
    assert _cost(project, model="gpt-4o") == pytest.approx(2)


def test_a_definition_is_read_changed_and_deleted(api, project):
    made = _define(api)
    assert (made["modelName"], made["inputPrice"], made["prices"]) == ("ours", 0.001, {"input": {"price": 0.001}})
    body = {"modelName": "ours", "matchPattern": "x", "outputPrice": 0.5}
    changed = api.put(f"{URL}/{made['id']}", body, content_type="application/json").json()
    assert (changed["inputPrice"], changed["outputPrice"]) == (None, 0.5)
    assert api.get(URL).json()["data"] == [api.get(f"{URL}/{made['id']}").json()]
    assert api.delete(f"{URL}/{made['id']}").status_code == 200
    assert api.get(f"{URL}/{made['id']}").status_code == 404


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"matchPattern": "("}, "matchPattern"),
        ({"inputPrice": -1}, "inputPrice"),
        ({"inputPrice": None}, "inputPrice"),
    ],
)
def test_bad_input_names_the_field(api, fields, field):
    assert _define(api, status=400, **fields)["error"][0]["path"] == [field]


def test_an_admin_defines_and_deletes_a_model_on_its_page(project, adam, client):
    client.force_login(adam)
    url = f"/project/{project.pk}/settings/models"
    client.post(f"{url}/define", {"name": "Ours", "match_pattern": "our-model-.*", "input": "2", "output": "4.5"})
    model = project.model_definitions.get()
    assert model.prices == pytest.approx({"input": 2e-6, "output": 4.5e-6})
    assert "our-model-.*" in client.get(url).content.decode()
    client.post(f"{url}/{model.pk}/delete")
    assert not project.model_definitions.exists()
    assert list(project.audit_entries.order_by("pk").values_list("action", flat=True)) == [
        "create",
        "delete",
    ]


def test_a_bad_pattern_is_told_at_its_field_and_nothing_typed_is_lost(project, adam, client):
    client.force_login(adam)
    response = client.post(
        f"/project/{project.pk}/settings/models/define", {"name": "Ours", "match_pattern": "(", "input": "2"}
    )
    page = response.content.decode()
    assert response.status_code == 422
    assert "is not a regular expression" in page
    assert 'value="Ours"' in page


def test_a_definition_is_edited_and_keeps_the_prices_that_only_the_api_sets(api, project, adam, client):
    model = _define(api, prices={"input_cached_tokens": 1e-7})
    client.force_login(adam)
    url = f"/project/{project.pk}/settings/models/{model['id']}/edit"
    page = client.get(url).content.decode()
    assert 'value="1000.0"' in page
    client.post(url, {"name": "ours", "match_pattern": "our-.*", "input": "3"})
    stored = project.model_definitions.get()
    assert stored.match_pattern == "our-.*"
    assert stored.prices == pytest.approx({"input": 3e-6, "input_cached_tokens": 1e-7})

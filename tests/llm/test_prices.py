"""Costs agree with the price library's own calculation."""

import pytest
from genai_prices import Usage, calc_price

from evalapp.llm.prices import flat_tariff, listed_tariff


@pytest.mark.parametrize(
    "model", ["gpt-4o", "gpt-3.5-turbo", "gpt-4o-mini-2024-07-18", "claude-3-5-sonnet-20241022", "gemini-2.5-pro"]
)
@pytest.mark.parametrize("tokens", [1_000, 300_000])
def test_the_listed_price_is_the_librarys(model, tokens):
    expected = calc_price(Usage(input_tokens=tokens, output_tokens=100), model_ref=model)
    cost = listed_tariff(model).cost_of({"input": tokens, "output": 100, "total": tokens + 100})
    assert cost["total"] == pytest.approx(float(expected.total_price))
    assert cost["input"] == pytest.approx(float(expected.input_price))


def test_cached_input_is_cheaper():
    expected = calc_price(Usage(input_tokens=1000, cache_read_tokens=800, output_tokens=0), model_ref="gpt-4o")
    cost = listed_tariff("gpt-4o").cost_of({"input": 200, "input_cached_tokens": 800, "output": 0})
    assert cost["total"] == pytest.approx(float(expected.total_price))


@pytest.mark.parametrize("name", ["openai/gpt-4o", "gpt-4o-2024-08-06", "text-embedding-3-small"])
def test_models_are_found_as_gateways_spell_them(name):
    assert listed_tariff(name).cost_of({"input": 1_000_000})["total"] > 0


def test_an_unknown_model_has_no_price():
    assert listed_tariff("my-own-model-7") is None


def test_a_projects_own_prices():
    tariff = flat_tariff("my-own-model-7", {"input": 1e-6, "output": 2e-6})
    assert tariff.cost_of({"input": 10, "output": 5, "total": 15}) == pytest.approx(
        {"input": 1e-5, "output": 1e-5, "total": 2e-5}
    )
    assert tariff.cost_of({"audio_seconds": 3}) is None

"""What a model's tokens cost, by the maintained price list of genai-prices.

The library's own calculation takes about a millisecond, which at 5,000 generations a second ingest cannot spend.
So its list is read once per model and day, and the multiplication is done here.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from genai_prices import data_snapshot
from genai_prices.types import TieredPrices

# Usage keys as ingest names them, and the entries of the price list that apply, the first that exists.
# The parts (cached, audio, …) have been subtracted from `input` and `output` before.
_PRICE_KEYS = {
    "input": ("input_mtok",),
    "output": ("output_mtok",),
    "input_cached_tokens": ("cache_read_mtok", "input_mtok"),
    "input_cache_read": ("cache_read_mtok", "input_mtok"),
    "cache_read_input_tokens": ("cache_read_mtok", "input_mtok"),
    "input_cache_creation": ("cache_write_mtok", "input_mtok"),
    "cache_creation_input_tokens": ("cache_write_mtok", "input_mtok"),
    "input_audio_tokens": ("input_audio_mtok", "input_mtok"),
    "input_image_tokens": ("input_image_mtok", "input_mtok"),
    "output_audio_tokens": ("output_audio_mtok", "output_mtok"),
    "output_reasoning_tokens": ("output_reasoning_mtok", "output_mtok"),
    "output_reasoning": ("output_reasoning_mtok", "output_mtok"),
    # Some clients keep the names of the completion API.
    "prompt_tokens": ("input_mtok",),
    "completion_tokens": ("output_mtok",),
    "input_tokens": ("input_mtok",),
    "output_tokens": ("output_mtok",),
}


@dataclass(frozen=True)
class Tariff:
    """Prices of one model: {usage key: ((tokens of input from which it applies, dollars a token), …)}."""

    model: str
    steps: dict

    def price(self, key, input_tokens):
        """Return the dollars one token of `key` costs in a request with so many input tokens, or None."""
        price = None
        for start, step in self.steps.get(key, ()):
            if input_tokens >= start:
                price = step
        return price

    def cost_of(self, usage):
        """Return {usage key: dollars, …, "total": dollars} for {usage key: tokens}; None if nothing is priced."""
        input_tokens = sum(count for key, count in usage.items() if _is_input(key))
        cost = {
            key: count * price
            for key, count in usage.items()
            if key != "total" and (price := self.price(key, input_tokens)) is not None
        }
        return {**cost, "total": sum(cost.values())} if cost else None


def flat_tariff(model, prices):
    """Return the Tariff of {usage key: dollars a token}, as projects define their own models."""
    return Tariff(model, {key: ((0, price),) for key, price in prices.items()})


def listed_tariff(model):
    """Return the Tariff of a model name as providers spell it, or None when the list does not know it."""
    return _listed_tariff(model, datetime.now(UTC).date())


@lru_cache(maxsize=4096)
def _listed_tariff(model, day):
    found = _find(model)
    if found is None:
        return None
    prices = vars(found.get_prices(datetime(day.year, day.month, day.day, tzinfo=UTC)))
    steps = {}
    for key, names in _PRICE_KEYS.items():
        listed = next((prices[name] for name in names if prices.get(name) is not None), None)
        if listed is not None:
            steps[key] = _steps(listed)
    return Tariff(found.id, steps) if steps else None


def _find(model):
    snapshot = data_snapshot.get_snapshot()
    # "openai/gpt-4o" and "models/gemini-2.0-flash" are how gateways spell it.
    for name in dict.fromkeys([model, model.rsplit("/", 1)[-1]]):
        try:
            return snapshot.find_provider_model(name, None, None, None)[1]
        except LookupError:
            pass
        for provider in snapshot.providers:
            if found := provider.find_model(name):
                return found
    return None


def _steps(listed):
    if isinstance(listed, TieredPrices):
        tiers = [(tier.start, float(tier.price) / 1e6) for tier in listed.tiers]
        return ((0, float(listed.base) / 1e6), *tiers)
    return ((0, float(listed) / 1e6),)


def _is_input(key):
    return key.startswith(("input", "prompt", "cache_read_input", "cache_creation_input"))

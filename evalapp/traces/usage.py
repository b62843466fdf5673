"""Token counts and costs as providers and instrumentations spell them → one spelling."""

from evalapp.core import payload

MOST_TOKENS = 10**12
_MOST_DOLLARS = 1e12

_COMPLETION = {"prompt_tokens", "completion_tokens", "total_tokens"}
_RESPONSE = {"input_tokens", "output_tokens", "total_tokens"}
_COMPLETION_DETAILS = {"prompt_tokens_details": "input", "completion_tokens_details": "output"}
_RESPONSE_DETAILS = {"input_tokens_details": "input", "output_tokens_details": "output"}

# What attributes below gen_ai.usage., llm.token_count. and the like are called here.
_GENERIC = {
    "prompt_tokens": "input",
    "input_tokens": "input",
    "prompt": "input",
    "input": "input",
    "promptTokens": "input",
    "inputTokens": "input",
    "completion_tokens": "output",
    "output_tokens": "output",
    "completion": "output",
    "output": "output",
    "completionTokens": "output",
    "outputTokens": "output",
    "total_tokens": "total",
    "total": "total",
    "totalTokens": "total",
    "cache_read_input_tokens": "input_cached_tokens",
    "cache_read.input_tokens": "input_cached_tokens",
    "cache_read_tokens": "input_cached_tokens",
    "cached_tokens": "input_cached_tokens",
    "cachedInputTokens": "input_cached_tokens",
    "prompt_details.cache_read": "input_cached_tokens",
    "prompt_details.cache_input": "input_cached_tokens",
    "cache_creation_input_tokens": "input_cache_creation",
    "cache_creation.input_tokens": "input_cache_creation",
    "cache_write_tokens": "input_cache_creation",
    "prompt_details.cache_write": "input_cache_creation",
    "prompt_details.audio": "input_audio_tokens",
    "reasoning_tokens": "output_reasoning_tokens",
    "reasoning.output_tokens": "output_reasoning_tokens",
    "reasoningTokens": "output_reasoning_tokens",
    "completion_details.reasoning": "output_reasoning_tokens",
    "completion_details.audio": "output_audio_tokens",
}


def tokens(value):
    """Return a whole number of tokens ≥ 0, or None for what is none."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        number = int(float(value)) if isinstance(value, str) else int(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if 0 <= number <= MOST_TOKENS else None


def dollars(value):
    """Return an amount, or None for what is none (NaN and infinity included)."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if abs(number) <= _MOST_DOLLARS else None


def usage_of_json(value):
    """Return the usage of a usage_details attribute, or None. OpenAI's shapes become input, output and details."""
    given = payload.parse(value) if isinstance(value, str) else value
    if not isinstance(given, dict):
        return None
    keys = given.keys()
    for plain, details in ((_COMPLETION, _COMPLETION_DETAILS), (_RESPONSE, _RESPONSE_DETAILS)):
        if plain <= keys and keys <= plain | details.keys():
            usage = {_GENERIC[key]: tokens(given[key]) or 0 for key in plain}
            for key, parent in details.items():
                for name, count in (given.get(key) or {}).items() if isinstance(given.get(key), dict) else ():
                    count = tokens(count)
                    if count:
                        usage[f"{parent}_{name}"] = count
                        usage[parent] = max(usage[parent] - count, 0)
            return usage
    return with_total(
        {str(key): count for key, count in ((k, tokens(v)) for k, v in given.items()) if count is not None}
    )


def usage_of_attributes(attributes, keys, prefix):
    """Return the usage of gen_ai.usage.*, llm.token_count.* and the like, or None."""
    usage, details = {}, []
    for key in keys:
        name = key[len(prefix) :].removeprefix("details.")
        count = tokens(attributes[key]) if name != "cost" else None
        if count is None:
            continue
        name = _GENERIC.get(name, name)
        usage.setdefault(name, count)
        if name.startswith(("input_", "output_")):
            details.append(name)
    for name in details:
        parent = name.partition("_")[0]
        if parent in usage:
            usage[parent] = max(usage[parent] - usage[name], 0)
    return with_total(usage)


def with_total(amounts):
    """Return the amounts with their total, or None when there are none."""
    if amounts and "total" not in amounts:
        amounts["total"] = sum(amounts.values())
    return amounts or None


def token_counts(usage):
    """Return (input, output, total) of a usage; each is None when nothing is known of it."""
    if not usage:
        return None, None, None
    if len(usage) == 3 and "input" in usage and "output" in usage and "total" in usage:
        return usage["input"], usage["output"], usage["total"]
    received = [count for name, count in usage.items() if name.startswith(("input", "prompt"))]
    sent = [count for name, count in usage.items() if name.startswith(("output", "completion"))]
    return (sum(received) if received else None, sum(sent) if sent else None, usage.get("total"))


def cost_of_json(value):
    """Return the costs of a cost_details attribute (an object, or one number), or None."""
    given = payload.parse(value) if isinstance(value, str) else value
    if not isinstance(given, dict):
        given = {"total": given}
    amounts = {str(key): dollars(amount) for key, amount in given.items()}
    return with_total({key: amount for key, amount in amounts.items() if amount is not None})

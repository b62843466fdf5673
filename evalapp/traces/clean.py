"""Values that PostgreSQL or orjson would refuse → the nearest that both accept, visibly changed."""

import orjson

MAX_DEPTH = 64
_INT64 = 1 << 63


def clean_text(text):
    """Return the text with NUL and lone surrogates shown as U+FFFD, which no PostgreSQL text may hold."""
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def finite(number):
    """Return the number, or the name of one that JSON lacks: at least visible."""
    if number - number == 0:
        return number
    return "NaN" if number != number else "Infinity" if number > 0 else "-Infinity"


def clean_value(value, depth=0):
    """Return a plain JSON value: clean texts, 64-bit integers, finite numbers, at most MAX_DEPTH levels."""
    if isinstance(value, str):
        return clean_text(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if -_INT64 <= value < _INT64 else str(value) if value.bit_length() < 10_000 else "(huge)"
    if isinstance(value, float):
        return finite(value)
    if depth >= MAX_DEPTH:
        return "(nested too deeply)"
    if isinstance(value, dict):
        return {clean_text(str(key)): clean_value(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [clean_value(item, depth + 1) for item in value]
    return clean_text(str(value))


def json_bytes(value):
    """Return the value as compact JSON, cleaned where it has to be."""
    try:
        return orjson.dumps(value)
    except TypeError:  # lone surrogates, integers beyond 64 bits, more than 254 levels, foreign types
        return orjson.dumps(clean_value(value))


def jsonb_bytes(value):
    """Return the value as JSON that a jsonb column accepts: also without NUL."""
    encoded = json_bytes(value)
    return orjson.dumps(clean_value(value)) if b"\\u0000" in encoded else encoded

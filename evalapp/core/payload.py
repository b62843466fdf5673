"""JSON as text: what clients send is stored and returned without loss.

PostgreSQL's jsonb refuses NUL and lone surrogates, and reorders keys; a text column of JSON keeps
the escapes \\u0000 and \\ud800 as they are.
"""

import json

import orjson


def dump(value):
    """Return `value` as compact JSON text that any text column accepts (NUL and lone surrogates stay escaped)."""
    try:
        return orjson.dumps(value).decode()
    except (TypeError, UnicodeEncodeError):  # integers beyond 64 bits, lone surrogates
        return json.dumps(value, separators=(",", ":"), allow_nan=False)


def load(text):
    """Return the value of JSON text, or None for None. Raises ValueError when it is not JSON."""
    if text is None:
        return None
    try:
        return orjson.loads(text)
    except ValueError:  # orjson refuses lone surrogates and nesting beyond 1024, which json reads
        return json.loads(text, parse_constant=_refuse)


def _refuse(constant):
    raise ValueError(f"{constant} is not JSON")


def parse(text):
    """Return the JSON value that the text holds, else the text itself: how SDKs expect payloads back."""
    if text is None:
        return None
    try:
        return load(text)
    except (ValueError, RecursionError):
        return text

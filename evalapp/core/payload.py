"""JSON as text: what clients send is stored and returned without loss.

PostgreSQL's jsonb refuses NUL and lone surrogates, and reorders keys; a text column of JSON keeps
the escapes \\u0000 and \\ud800 as they are.
"""

import json
import re

import orjson

# orjson reads integers beyond 64 bits as floats, without saying so.
_LONG_NUMBER = re.compile(r"\d{19}")


class Stored:
    """JSON text that goes into a response as it is, without being parsed and written again.

    No dataclass: orjson would write one as an object.
    """

    def __init__(self, text):
        self.text = text


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
        if not _LONG_NUMBER.search(text):
            return orjson.loads(text)
    except ValueError:  # orjson refuses lone surrogates and nesting beyond 1024, which json reads
        pass
    return json.loads(text, parse_constant=_refuse)


def dump_response(value):
    """Return the bytes of a response in which Stored text may stand for values."""
    try:
        return orjson.dumps(value, default=_fragment, option=orjson.OPT_NON_STR_KEYS)
    except (TypeError, UnicodeEncodeError):
        return json.dumps(value, separators=(",", ":"), default=_parsed).encode()


def _fragment(value):
    if isinstance(value, Stored):
        return orjson.Fragment(value.text)
    return str(value)


def _parsed(value):
    return load(value.text) if isinstance(value, Stored) else str(value)


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

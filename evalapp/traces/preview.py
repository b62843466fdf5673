"""The line that lists show of an input or output: what was said, not the JSON around it."""

from evalapp.core import payload

LENGTH = 300
# Parsing a huge payload for one line is not worth it.
_MOST_PARSED = 200_000
_SAYS = (
    "content",
    "text",
    "parts",
    "message",
    "query",
    "question",
    "prompt",
    "input",
    "output",
    "answer",
    "result",
)
_LISTS = ("messages", "choices", "contents")


def preview_of(text):
    """Return at most LENGTH characters on one line; of chat messages the last that says something."""
    found = text
    if text[:1] in ("{", "[", '"') and len(text) <= _MOST_PARSED:
        value = payload.parse(text)
        if value is not text:
            found = _said(value, 0) or text
    return " ".join(found[: LENGTH * 4].split())[:LENGTH]


def _said(value, depth):
    """Return the text of a message, of its parts, or of the last message of a list, or None."""
    if isinstance(value, str):
        return value.strip() or None
    if depth > 8:
        return None
    if isinstance(value, list):
        if value and all(isinstance(item, dict) and "role" not in item and "type" in item for item in value):
            return " ".join(filter(None, (_said(item, depth + 1) for item in value))) or None
        users = [item for item in value if isinstance(item, dict) and item.get("role") == "user"]
        for item in reversed(users or value):
            if isinstance(item, dict | list):
                said = _said(item, depth + 1)
                if said:
                    return said
        return None
    if isinstance(value, dict):
        for key in (*_LISTS, *_SAYS):
            if key in value:
                said = _said(value[key], depth + 1)
                if said:
                    return said
    return None

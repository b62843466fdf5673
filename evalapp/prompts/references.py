"""Prompts inside prompts: @@@langfusePrompt:name=…|version=…@@@ or |label=…@@@."""

import re
from dataclasses import dataclass

TAG = re.compile(r"@@@langfusePrompt:name=(?P<name>[^|@]+)\|(?P<kind>version|label)=(?P<value>[^|@]+)@@@")
MAX_DEPTH = 5


@dataclass(frozen=True)
class Reference:
    """What a tag points at; exactly one of version and label is set."""

    name: str
    version: int | None
    label: str | None


def references_in(body):
    """Return the Reference of every tag in a prompt body (a string or a list of messages)."""
    return [_reference(match) for text in _texts(body) for match in TAG.finditer(text)]


def resolve(body, fetch, *, depth=0):
    """Return `body` with each tag replaced by the text that `fetch(Reference)` returns, nested tags included.

    Raises ValueError when prompts nest deeper than MAX_DEPTH, which is how a cycle shows.
    """
    if depth > MAX_DEPTH:
        raise ValueError(f"Prompt references nest deeper than {MAX_DEPTH}; is there a cycle?")

    def replace(match):
        return resolve(fetch(_reference(match)), fetch, depth=depth + 1)

    if isinstance(body, str):
        return TAG.sub(replace, body)
    return [
        {**message, "content": TAG.sub(replace, message["content"])}
        if isinstance(message.get("content"), str)
        else message
        for message in body
    ]


def _reference(match):
    by_version = match["kind"] == "version"
    value = match["value"]
    if by_version and not value.isdecimal():
        raise ValueError(f"{match[0]} names no version number.")
    return Reference(match["name"], int(value) if by_version else None, None if by_version else value)


def _texts(body):
    if isinstance(body, str):
        return [body]
    return [message["content"] for message in body if isinstance(message.get("content"), str)]

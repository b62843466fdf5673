"""Finds media references in the payloads of items."""

import re

MARK = "@@@langfuseMedia:"
_REFERENCE = re.compile(r"@@@langfuseMedia:type=([^|]+)\|id=([^|]+)\|source=([^|@]+)@@@")


def references(value, path="$"):
    """Yield (JSONPath, reference string, media id) for each string that is a media reference.

    The paths are those of RFC 9535's normalised form, except that keys are not escaped: so the SDKs read them.
    """
    if isinstance(value, str):
        if match := _REFERENCE.fullmatch(value):
            yield path, value, match[2]
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from references(inner, f"{path}['{key}']")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from references(inner, f"{path}[{index}]")

"""Finds media references in the payloads of items."""

import re

MARK = "@@@langfuseMedia:"
_REFERENCE = re.compile(r"@@@langfuseMedia:type=([^|]+)\|id=([^|]+)\|source=([^|@]+)@@@")


def references(value):
    """Return (JSONPath, reference string, media id) of each string in the value that is a media reference.

    The paths are those of RFC 9535's normalised form, except that keys are not escaped: so the SDKs read them.
    Without recursion, because values may be nested as deeply as JSON is read.
    """
    found, waiting = [], [("$", value)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, str):
            if match := _REFERENCE.fullmatch(value):
                found.append((path, value, match[2]))
        elif isinstance(value, dict):
            waiting += [(f"{path}['{key}']", inner) for key, inner in reversed(value.items())]
        elif isinstance(value, list):
            waiting += [(f"{path}[{index}]", inner) for index, inner in enumerate(value)][::-1]
    return found

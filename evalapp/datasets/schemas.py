"""JSON Schema, draft 2020-12, as the judge of what may go into a dataset."""

import re

from django.core.exceptions import ValidationError
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from jsonschema_specifications import REGISTRY
from referencing.exceptions import Unresolvable

_REMOTE = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_MESSAGES_A_VALUE = 5


def check_schema(schema, field):
    """Raise ValidationError, under `field`, unless this is a schema that can judge without fetching anything."""
    if not isinstance(schema, dict):
        raise ValidationError({field: "A schema is a JSON object."})
    try:
        Draft202012Validator.check_schema(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
        known = set(_strings(schema, "$id"))
        for reference in _strings(schema, "$ref"):
            address = reference.partition("#")[0]
            if _REMOTE.match(address) and address not in known and address not in REGISTRY:
                raise ValidationError({field: f"$ref {reference} points elsewhere; nothing is fetched."})
    except SchemaError as error:
        where = "/".join(map(str, error.absolute_path)) or "the schema"
        raise ValidationError(
            {field: f"Not a JSON Schema (2020-12), at {where}: {_short(error.message)}"}
        ) from error
    except RecursionError as error:
        raise ValidationError({field: "The schema is nested too deeply."}) from error


class Judge:
    """Compiled once, asked for many values. Without a schema everything passes."""

    def __init__(self, schema):
        # An explicit registry: the default one would fetch remote references over the network.
        self._validator = Draft202012Validator(schema, registry=REGISTRY) if schema is not None else None

    def faults(self, value):
        """Return what is wrong with the value, as (path within it, message); a null was never given and passes."""
        if self._validator is None or value is None:
            return []
        faults = []
        try:
            for error in self._validator.iter_errors(value):
                faults.append(([*error.absolute_path], _short(error.message)))
                if len(faults) == _MESSAGES_A_VALUE:
                    break
        except Unresolvable as error:
            faults.append(([], f"The schema's $ref can't be resolved: {_short(str(error))}"))
        except (RecursionError, re.error) as error:
            faults.append(([], f"The schema can't judge this value: {_short(str(error))}"))
        return faults


def _strings(schema, keyword):
    if isinstance(schema, dict):
        value = schema.get(keyword)
        if isinstance(value, str):
            yield value
        schema = schema.values()
    if not isinstance(schema, str | int | float | None):
        for part in schema:
            yield from _strings(part, keyword)


def _short(text):
    return text if len(text) <= 300 else text[:300] + "…"

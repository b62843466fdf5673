"""What a reviewer typed, and what it means: pure, no database."""

import math

from evalapp.scores.models import DataType


def blank(value):
    """Whether nothing was answered."""
    return value is None or (isinstance(value, str) and not value.strip())


def cleaned(config, value):
    """Return the answer to a config as record_score takes it, or None for no answer. Raises ValueError."""
    if blank(value):
        return None
    if config.data_type == DataType.BOOLEAN:
        if str(value) not in ("0", "1"):
            raise ValueError("Choose one of the options.")
        return int(value)
    if config.data_type == DataType.NUMERIC:
        return _number(value)
    text = str(value)
    # A browser sends line breaks as CRLF, whatever was typed or stored.
    return text.replace("\r\n", "\n").strip() if config.data_type == DataType.TEXT else text


def _number(value):
    try:
        number = float(str(value).strip().replace(",", "."))
    except ValueError as error:
        raise ValueError(f"“{value}” is not a number.") from error
    if not math.isfinite(number):
        raise ValueError("The number must be finite.")
    return number


def same(left, right):
    """Whether two drafts say the same; line breaks and blanks at the ends don't count."""
    return _essence(left) == _essence(right)


def _essence(draft):
    answers = {
        key: str(value).replace("\r\n", "\n").strip()
        for key, value in (draft.get("answers") or {}).items()
        if not blank(value)
    }
    return answers, draft.get("anchor") or ""

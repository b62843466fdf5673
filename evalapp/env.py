"""Read the environment strictly: an unexpected value stops the program, nothing is guessed."""

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

_TRUE, _FALSE = {"true", "1", "yes", "on"}, {"false", "0", "no", "off"}


def env_str(name, default=""):
    """Return the variable, or the content of the file that `<name>_FILE` points at (for mounted secrets).

    Raises ImproperlyConfigured when both are set or the file cannot be read.
    """
    file = os.environ.get(f"{name}_FILE", "")
    value = os.environ.get(name, "")
    if file and value:
        raise ImproperlyConfigured(f"Set {name} or {name}_FILE, not both.")
    if file:
        try:
            return Path(file).read_text().strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE={file} cannot be read: {error.strerror}.") from error
    return value or default


def env_bool(name, default):
    """Return true or false. Raises ImproperlyConfigured for anything but true/false, yes/no, on/off, 1/0."""
    value = os.environ.get(name, "").strip().lower()
    if not value:
        return default
    if value in _TRUE or value in _FALSE:
        return value in _TRUE
    raise ImproperlyConfigured(f"{name}={value!r} is neither true nor false.")


def env_int(name, default, *, minimum=0):
    """Return a whole number >= `minimum`. Raises ImproperlyConfigured otherwise."""
    value = os.environ.get(name, "").strip()
    if not value:
        return default
    try:
        number = int(value)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}={value!r} is not a whole number.") from error
    if number < minimum:
        raise ImproperlyConfigured(f"{name}={number} is below {minimum}.")
    return number


def env_list(name, default=()):
    """Return the comma-separated parts, without blanks."""
    value = os.environ.get(name, "")
    return [part.strip() for part in value.split(",") if part.strip()] or list(default)

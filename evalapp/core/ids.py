"""Identifiers of our own rows: short, sortable by creation, safe in URLs."""

import secrets
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u


def new_id():
    """Return 26 characters: 48 bits of milliseconds, then 80 random bits (the ULID layout, in lower case)."""
    number = (time.time_ns() // 1_000_000 << 80) | secrets.randbits(80)
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))

"""Random secrets, and the hashes that are kept instead of them."""

import base64
import hashlib
import secrets
import uuid


def hash_secret(secret):
    """Return the SHA-256 of a secret or token, in hex. They are random, so no salt or slow hash is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def new_token():
    """Return a token for a link: 256 random bits that are safe in a URL."""
    return secrets.token_urlsafe(32)


def new_key_pair():
    """Return a public and a secret API key, in the form that the SDKs know."""
    return f"pk-lf-{uuid.uuid4()}", f"sk-lf-{uuid.uuid4()}"


def hint(secret):
    """Return what is shown of a secret to tell it from others."""
    return f"{secret[:6]}…{secret[-4:]}" if len(secret) >= 20 else "…"


def basic_token(public_key, secret):
    """Return what follows "Authorization: Basic"."""
    return base64.b64encode(f"{public_key}:{secret}".encode()).decode()

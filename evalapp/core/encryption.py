"""Secrets that have to be read again (second factors, providers' keys), encrypted with the installation's key.

The key comes from SECRET_KEY; those in SECRET_KEY_FALLBACKS still decrypt, so the key can be changed.
"""

import base64
from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

__all__ = ["InvalidToken", "decrypt", "encrypt"]


@cache
def _fernet(secret):
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"evalapp encryption").derive(secret.encode())
    return Fernet(base64.urlsafe_b64encode(key))


def _fernets():
    return MultiFernet([_fernet(secret) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def encrypt(text):
    """Return the text encrypted, as text."""
    return _fernets().encrypt(text.encode()).decode()


def decrypt(token):
    """Return what was encrypted. Raises InvalidToken when it was with a key that is no longer known."""
    return _fernets().decrypt(token.encode()).decode()

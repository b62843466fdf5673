"""HTTP Basic with a project's API key: the public key is the user, the secret the password."""

import hmac
from base64 import b64decode
from datetime import timedelta

from django.utils.timezone import now
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed

from evalapp.projects.keys import hash_secret
from evalapp.projects.models import ApiKey

_USE_IS_NOTED_EVERY = timedelta(minutes=5)


def authenticate(header, *, with_project=True):
    """Return the ApiKey that an Authorization header names. Raises AuthenticationFailed.

    Without its project it costs 0.15 ms instead of 0.8, which ingest is glad of.
    """
    scheme, _, credentials = header.partition(" ")
    if scheme.lower() != "basic":
        raise AuthenticationFailed(
            "Send your API key as HTTP Basic: the public key as user, the secret as password."
        )
    try:
        public_key, _, secret = b64decode(credentials, validate=True).decode().partition(":")
        if "\0" in public_key:
            raise ValueError("PostgreSQL cannot even compare with NUL.")
    except ValueError as error:
        raise AuthenticationFailed("The Authorization header is not valid Basic authentication.") from error
    if with_project:
        key = ApiKey.objects.active().select_related("project__organization").filter(public_key=public_key).first()
    else:
        key = ApiKey.objects.active_fast(public_key)
    if key is None or not hmac.compare_digest(key.secret_hash, hash_secret(secret)):
        raise AuthenticationFailed("Invalid credentials. Check the public and the secret key and the host.")
    if key.last_used_at is None or now() - key.last_used_at > _USE_IS_NOTED_EVERY:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now())
    return key


class ApiKeyAuthentication(BaseAuthentication):
    """request.auth is the ApiKey; request.auth.project is the tenant."""

    def authenticate(self, request):
        header = request.headers.get("Authorization")
        if not header:
            raise AuthenticationFailed("No API key was sent. Use HTTP Basic with a public and a secret key.")
        key = authenticate(header)
        return key, key

    def authenticate_header(self, request):
        # DRF answers 403 without a challenge; this scheme makes it 401 and opens no browser prompt.
        return "ApiKey"

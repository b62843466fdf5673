"""How many requests an API key may make in a minute."""

from django.conf import settings
from rest_framework.exceptions import Throttled
from rest_framework.throttling import BaseThrottle

from evalapp.core.limits import limiter


def throttle(key, kind):
    """Count a request of the key; `kind` names one of settings.RATE_LIMITS. Raises Throttled."""
    limit = settings.RATE_LIMITS[kind]
    if wait := limiter().take(f"{kind}:{key.pk}", limit):
        raise Throttled(wait, f"More than {limit} requests in a minute.")


class KeyThrottle(BaseThrottle):
    """Applies the limit that the view names by `rate_limit`, else that of the API."""

    def allow_request(self, request, view):
        if request.auth is not None:
            throttle(request.auth, getattr(view, "rate_limit", "api"))
        return True

"""Rate limits that all processes share: so many per minute and name, counted where the broker is.

A process leases a hundredth of a limit at once and spends it by itself, so that most requests ask nobody. At the
edge of two minutes up to twice the limit passes, and what is left of a lease then is lost; for guarding a server
against runaway programs that is exact enough.
"""

import logging
import threading
import time
from functools import cache

import redis
from django.conf import settings
from django.core.cache import caches
from django.db import DatabaseError

_WINDOW = 60
_LEASES_PER_LIMIT = 100
_PAUSE = 5  # seconds without asking a store that failed: waiting for it would slow every request
_log = logging.getLogger(__name__)


class Limiter:
    """Counts in a store that all processes share; while the store is away, everything passes."""

    def __init__(self, count):
        """`count(name, amount)` adds to a name's counter of the minute and returns the new sum."""
        self._count = count
        self._lock = threading.Lock()
        self._window = 0
        self._leases = {}
        self._asks_from = 0.0

    def take(self, name, limit):
        """Return 0 when one more of `name` may pass, else the seconds until it may. A limit of 0 is none."""
        if not limit:
            return 0
        now = time.time()
        window = int(now // _WINDOW)
        with self._lock:
            if window != self._window:
                self._window, self._leases = window, {}
            left = self._leases.get(name, 0)
            if left > 0:
                self._leases[name] = left - 1
                return 0
        # A negative lease says that the limit is reached, and nobody is asked again before the minute is over.
        if left == 0 and (leased := self._lease(f"{name}:{window}", limit)) != 0:
            with self._lock:
                if window == self._window:
                    self._leases[name] = self._leases.get(name, 0) + leased - 1 if leased > 0 else -1
            left = leased
        return max(1, round((window + 1) * _WINDOW - now)) if left < 0 else 0

    def _lease(self, name, limit):
        """Return how many may pass, -1 for none, or 0 when the store can't tell."""
        if time.monotonic() < self._asks_from:
            return 0
        wanted = max(1, limit // _LEASES_PER_LIMIT)
        try:
            taken = self._count(name, wanted)
        except (redis.RedisError, DatabaseError, OSError, ValueError):
            _log.exception("The rate limits can't be counted; requests pass without")
            self._asks_from = time.monotonic() + _PAUSE
            return 0
        return min(wanted, limit - taken + wanted) if taken - wanted < limit else -1


@cache
def limiter():
    """Return the limiter of this process."""
    url = settings.CELERY_BROKER_URL
    if url.startswith(("redis", "valkey", "unix")):
        return Limiter(_redis_counter(url))
    return Limiter(_cache_counter)


def _redis_counter(url):
    # Celery says redis+socket:// to what the client calls unix://.
    url = url.replace("redis+socket://", "unix://", 1)
    client = redis.Redis.from_url(url, socket_timeout=0.2, socket_connect_timeout=0.2)

    def count(name, amount):
        with client.pipeline(transaction=False) as pipeline:
            pipeline.incrby(f"limit:{name}", amount)
            pipeline.expire(f"limit:{name}", 2 * _WINDOW)
            return pipeline.execute()[0]

    return count


def _cache_counter(name, amount):
    # Not atomic: two processes that lease at once may count as one, and a little more passes.
    cache = caches["default"]
    cache.add(f"limit:{name}", 0, timeout=2 * _WINDOW)
    return cache.incr(f"limit:{name}", amount)

"""The rate limits: what passes, what is refused, and what happens without a store."""

import threading

import pytest
import redis
from django.test import Client

from evalapp.core import limits
from evalapp.core.limits import Limiter

NAME = "api:key"


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still in the middle of a minute until it is told otherwise."""

    class Clock:
        now = 1_000_000 * 60 + 30.0

        def time(self):
            return self.now

        def monotonic(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(limits, "time", clock)
    return clock


class Store:
    """Counts as the shared store does."""

    def __init__(self):
        self.counters, self.asked, self.away = {}, 0, False

    def count(self, name, amount):
        self.asked += 1
        if self.away:
            raise redis.ConnectionError("away")
        self.counters[name] = self.counters.get(name, 0) + amount
        return self.counters[name]


def passed(limiter, limit, attempts):
    return sum(limiter.take(NAME, limit) == 0 for _ in range(attempts))


def test_a_limit_is_reached_and_forgotten_after_the_minute(clock):
    limiter = Limiter(Store().count)
    assert passed(limiter, 3, 5) == 3
    assert limiter.take(NAME, 3) == 30
    assert limiter.take("api:other", 3) == 0
    clock.now += 30
    assert passed(limiter, 3, 5) == 3


def test_processes_share_a_limit(clock):
    store = Store()
    processes = [Limiter(store.count) for _ in range(4)]
    assert sum(passed(process, 1000, 400) for process in processes) == 1000


def test_most_requests_ask_nobody(clock):
    store = Store()
    assert passed(Limiter(store.count), 6000, 6000) == 6000
    assert store.asked == 100


def test_a_refused_key_does_not_ask_again_in_that_minute(clock):
    store = Store()
    limiter = Limiter(store.count)
    passed(limiter, 2, 2)
    asked = store.asked
    assert passed(limiter, 2, 50) == 0
    assert store.asked == asked + 1


def test_threads_of_a_process_do_not_exceed_it(clock):
    limiter, counts = Limiter(Store().count), []
    threads = [threading.Thread(target=lambda: counts.append(passed(limiter, 500, 200))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # A lease that comes in while another is spent may be spent by whoever is first, never twice.
    assert sum(counts) <= 500


def test_without_its_store_everything_passes_and_it_is_asked_now_and_then(clock):
    store = Store()
    store.away = True
    limiter = Limiter(store.count)
    assert passed(limiter, 1, 10) == 10
    assert store.asked == 1
    clock.now += 6
    store.away = False
    assert passed(limiter, 1, 10) == 1


def test_no_limit_asks_nobody():
    store = Store()
    assert passed(Limiter(store.count), 0, 10) == 10
    assert store.asked == 0


@pytest.mark.parametrize("broker", ["the suite's own", "amqp://guest@localhost//"])
def test_it_counts_in_the_broker_or_in_the_database(db, settings, broker):
    if "://" in broker:
        settings.CELERY_BROKER_URL = broker
    limits.limiter.cache_clear()
    try:
        one, other = limits.limiter(), Limiter(limits.limiter()._count)
        name = f"test:{broker}"
        # Two minutes at most, should the clock pass from one to the next.
        taken = sum(limiter.take(name, 4) == 0 for _ in range(5) for limiter in (one, other))
        assert taken in (4, 8)
    finally:
        limits.limiter.cache_clear()


@pytest.fixture
def client_of(api_key):
    return Client(headers={"Authorization": api_key.basic})


def test_the_api_says_when_to_come_back(settings, client_of, clock):
    settings.RATE_LIMITS = {"api": 2, "ingestion": 1}
    assert [client_of.get("/api/public/projects").status_code for _ in range(3)] == [200, 200, 429]
    refused = client_of.get("/api/public/projects", headers={"X-Request-Id": "mine"})
    assert refused.json() == {
        "message": "More than 2 requests in a minute. Expected available in 30 seconds.",
        "error": "RateLimitError",
        "requestId": "mine",
    }
    assert refused["Retry-After"] == "30"
    # Ingestion counts for itself.
    spans = {"path": "/api/public/otel/v1/traces", "data": "{}", "content_type": "application/json"}
    assert client_of.post(**spans).status_code == 200
    refused = client_of.post(**spans)
    assert (refused.status_code, refused["Retry-After"]) == (429, "30")
    assert refused.json()["error"] == "RateLimitError"


@pytest.mark.parametrize("signal", ["metrics", "logs"])
def test_what_is_accepted_and_dropped_counts_too(settings, client_of, clock, signal):
    settings.RATE_LIMITS = {"api": 1, "ingestion": 1}
    path = f"/api/public/otel/v1/{signal}"
    assert client_of.post(path, "{}", content_type="application/json").status_code == 200
    refused = client_of.post(path, "{}", content_type="application/json")
    assert (refused.status_code, refused["Retry-After"]) == (429, "30")
    assert refused.json()["error"] == "RateLimitError"


def test_asking_for_health_needs_no_key_and_has_no_limit(db, settings):
    settings.RATE_LIMITS = {"api": 1, "ingestion": 1}
    assert {Client().get("/api/public/health").status_code for _ in range(3)} == {200}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("get", "/api/public/traces/unknown", 404),
        ("get", "/api/public/traces?page=0", 400),
        ("get", "/api/public/no/such/path", 404),
        ("delete", "/api/public/projects", 405),
        ("post", "/api/public/otel/v1/traces", 415),
        ("get", "/api/public/media/content/unknown", 403),
    ],
)
def test_errors_name_the_request(client_of, method, path, status):
    response = getattr(client_of, method)(path, headers={"X-Request-Id": "mine"})
    assert response.status_code == status
    assert response.json()["requestId"] == "mine"

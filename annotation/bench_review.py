"""Reviewing over HTTP: complete an item and get the next one, alone and in company."""

import base64
import hashlib
import http.client
import json
import random
import secrets
import threading
import time
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urlsplit

import psycopg

from evalapp.core.bench import Figure, percentile

ITEMS = 10_000
READING = 5.0  # seconds a reviewer spends on an item: less than reading it takes, so that the load is above life's
GOAL = 50

_TRACES = """
INSERT INTO traces_trace (project_id, id, timestamp, end_time, name, environment, public, bookmarked, tags,
    metadata, input_preview, output_preview, root_observation_id, observation_count, error_count, input_tokens,
    output_tokens, total_tokens, precedence, created_at, updated_at)
SELECT %(project)s, %(run)s || n, at, at + interval '10 seconds', 'support', 'production', false, false, '{}',
    '{}', 'Where is my order?', 'On its way.', 'o0', 9, 0, 0, 0, 0, '{}', now(), now()
FROM (SELECT n, now() - n * interval '5 seconds' AS at FROM generate_series(1, %(items)s) AS n) AS numbers
"""
_STEPS = """
INSERT INTO traces_observation (project_id, trace_id, id, parent_id, start_time, end_time, type, name, level,
    environment, is_root, input, output, created_at)
SELECT project_id, id, 'o' || k, CASE WHEN k > 0 THEN 'o0' END, timestamp + k * interval '1 second',
    timestamp + (k + 1) * interval '1 second', (ARRAY['AGENT', 'GENERATION', 'TOOL'])[1 + least(k, 1 + k %% 2)],
    'step ' || k, 'DEFAULT', 'production', k = 0,
    CASE WHEN k %% 2 = 1 THEN %(messages)s ELSE '{"order": "BB-1"}' END,
    CASE WHEN k %% 2 = 1 THEN %(answer)s ELSE '{"state": "shipped", "days": 3, "lines": [1, 2]}' END, now()
FROM traces_trace, generate_series(0, 8) AS k
WHERE project_id = %(project)s AND starts_with(id, %(run)s)
"""
_ITEMS = """
INSERT INTO annotation_queueitem (id, project_id, queue_id, object_type, object_id, trace_id, position,
    available_from, created_at)
SELECT id || 'item', project_id, %(queue)s, 'TRACE', id, '', row_number() OVER (ORDER BY timestamp), now(), now()
FROM traces_trace WHERE project_id = %(project)s AND starts_with(id, %(run)s)
"""
_REVIEWER = """
WITH person AS (
    INSERT INTO projects_user (password, email, name, is_active, date_joined)
    VALUES ('!', %(email)s, %(email)s, true, now()) RETURNING id
), member AS (
    INSERT INTO projects_membership (project_id, user_id, role, created_at)
    SELECT %(project)s, id, 'reviewer', now() FROM person
)
INSERT INTO projects_signinlink (user_id, token_hash, created_at, expires_at)
SELECT id, %(hash)s, now(), now() + interval '1 hour' FROM person
"""
_TWICE = """
SELECT count(*) FROM (SELECT item_id FROM annotation_review WHERE queue_id = %s AND state = 'completed'
    GROUP BY item_id HAVING count(*) > 1) AS twice
"""


def run(target, *, quick):
    """Return the figures; about a minute and a half, or half of that when quick."""
    bench = _Bench(target)
    figures, seconds = [], 15 if quick else 40
    for people in (1, 8, 50):
        times = bench.review(people, seconds)
        note = f"{len(times)} items, {READING:g} s of reading each"
        figures.append(
            Figure(f"complete and next, {people} reviewers, p50", percentile(times, 50), "ms", note=note)
        )
        figures.append(
            Figure(f"complete and next, {people} reviewers, p95", percentile(times, 95), "ms", GOAL, True)
        )
    twice = bench.sql(_TWICE, [bench.queue]).fetchone()[0]
    figures.append(Figure("items completed twice", twice, "items", 0, True, f"of a queue of {ITEMS:,}"))
    return figures


class _Bench:
    """A queue of 10,000 traces in the target, and people who review it."""

    def __init__(self, target):
        self.target, self.address = target, urlsplit(target.url)
        self.run = f"bench{secrets.token_hex(6)}"
        self.note = self._make("score-configs", {"name": f"Note {self.run[-6:]}", "dataType": "TEXT"})
        verdict = self._make("score-configs", {"name": f"Pass {self.run[-6:]}", "dataType": "BOOLEAN"})
        self.queue = self._make("annotation-queues", {"name": self.run, "scoreConfigIds": [self.note, verdict]})
        messages = [{"role": "user", "content": "Where is my order? " * 20}]
        values = {
            "project": target.project_id,
            "run": self.run,
            "items": ITEMS,
            "queue": self.queue,
            "messages": json.dumps({"messages": messages}),
            "answer": json.dumps(
                {"role": "assistant", "content": "It is **on its way**.\n\n- day 1\n- day 2\n" * 5}
            ),
        }
        for statement in (_TRACES, _STEPS, _ITEMS):
            self.sql(statement, values)
        self.sql("ANALYZE traces_trace, traces_observation, annotation_queueitem")

    def sql(self, statement, values=()):
        with psycopg.connect(self.target.database_url, autocommit=True) as connection:
            return connection.execute(statement, values or None)

    def review(self, people, seconds):
        """Let so many people review for a while and return the milliseconds of each completion."""
        clients = [self._sign_in() for _ in range(people)]
        for client in clients[:8]:  # the first request of a web process compiles templates
            client.complete()
        times, failures = [], []
        end = time.monotonic() + seconds

        def work(client):
            try:
                time.sleep(random.uniform(0, READING))
                while time.monotonic() < end:
                    times.append(client.complete())
                    time.sleep(random.uniform(0.2, 1.8) * READING)
            except Exception as error:
                failures.append(error)

        threads = [threading.Thread(target=work, args=[client]) for client in clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]
        return times

    def _make(self, path, body):
        key = base64.b64encode(f"{self.target.public_key}:{self.target.secret_key}".encode()).decode()
        connection = http.client.HTTPConnection(self.address.netloc)
        headers = {"Authorization": f"Basic {key}", "Content-Type": "application/json"}
        connection.request("POST", f"/api/public/{path}", json.dumps(body), headers)
        response = connection.getresponse()
        answer = json.loads(response.read())
        if response.status != 200:
            raise RuntimeError(f"{path} answered {response.status}: {answer}")
        return answer["id"]

    def _sign_in(self):
        token = secrets.token_urlsafe(32)
        self.sql(
            _REVIEWER,
            {
                "email": f"{secrets.token_hex(8)}@bench.example.com",
                "project": self.target.project_id,
                "hash": hashlib.sha256(token.encode()).hexdigest(),
            },
        )
        return _Reviewer(self, token)


class _Reviewer:
    """One person's browser: cookies, one kept connection, and the item on the screen."""

    def __init__(self, bench, token):
        self.bench, self.cookies = bench, {}
        self.connection = http.client.HTTPConnection(bench.address.netloc)
        self._get(f"/sign-in/{token}")
        queue = f"/project/{bench.target.project_id}/annotation-queues/{bench.queue}"
        self.item = self._get(f"{queue}/items").getheader("Location")
        if "/items/" not in (self.item or ""):
            raise RuntimeError(f"There was no item to review: {self.item}")
        self._get(self.item)  # as a browser does; it also brings the CSRF cookie

    def complete(self):
        """Complete the item on the screen, take the next one, and return the milliseconds that took."""
        body = urlencode(
            {
                "csrfmiddlewaretoken": self.cookies.get("csrftoken", ""),
                "draft_version": "0",
                f"answer-{self.bench.note}": "Says that it is on its way, although it is lost.",
            }
        )
        headers = {"Content-Type": "application/x-www-form-urlencoded", "HX-Request": "true"}
        started = time.perf_counter()
        response = self._send("POST", f"{self.item}/complete", body, headers)
        took = (time.perf_counter() - started) * 1000
        following = response.getheader("HX-Push-Url") or ""
        if response.status != 200 or "/items/" not in following:
            raise RuntimeError(f"Completing answered {response.status}, next {following!r}.")
        self.item = following
        return took

    def _get(self, path):
        return self._send("GET", path, None, {})

    def _send(self, method, path, body, headers):
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        self.connection.request(method, path, body, {**headers, "Cookie": cookie})
        response = self.connection.getresponse()
        response.read()
        if response.status >= 400:
            raise RuntimeError(f"{method} {path} answered {response.status}.")
        for header in response.headers.get_all("Set-Cookie") or []:
            self.cookies |= {name: morsel.value for name, morsel in SimpleCookie(header).items()}
        return response

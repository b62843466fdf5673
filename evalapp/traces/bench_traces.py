"""Measures how fast traces are found and read, through the real web server: design targets beside the figures."""

import http.client
import json
import os
import secrets
import signal
import socket
import statistics
import subprocess
import sys
import time
from importlib import import_module
from urllib.parse import quote

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.db import connection

from evalapp.core.bench import Figure
from evalapp.projects.models import Membership, Organization, Project, Role, User
from evalapp.traces.models import Observation
from evalapp.traces.partitions import ensure_partitions

PER_TRACE = 10
PROJECT = "bench-traces"
LONG_TRACE = "bench-500"
LIST_TARGET, PAGE_TARGET = 50, 100  # milliseconds at the server, 95th percentile

# Time, names, users, sessions, tags and errors are skewed as in production: few of each make up most of it.
# The neighbour's rows are there so that an index that forgets the project shows.
_TRACES = """
INSERT INTO traces_trace (project_id, id, timestamp, end_time, name, user_id, session_id, environment, public,
    bookmarked, tags, metadata, input_preview, output_preview, observation_count, error_count, input_tokens,
    output_tokens, total_tokens, total_cost, precedence, created_at, updated_at)
SELECT %(project)s, md5(%(project)s || n), at, at + interval '9 seconds', 'agent ' || floor(pow(r, 3) * 40),
    'user-' || floor(pow(r2, 3) * 5000), 'session-' || (n / 4),
    CASE WHEN r > .999 THEN 'staging' ELSE 'production' END,
    false, false,
    ARRAY['all'] || CASE WHEN r2 > .999 THEN ARRAY['rare'] ELSE '{{}}'::text[] END
        || CASE WHEN r > .8 THEN ARRAY['beta'] ELSE '{{}}'::text[] END,
    '{{}}'::jsonb, 'Where is my order ' || n || '? ' || repeat('It was to be here by now. ', 8),
    'It is on its way. ' || repeat('You will get it soon. ', 8), {per_trace}, (r2 > .96)::int,
    4000, 600, 4600, 0.02, '{{}}'::jsonb, now(), now()
FROM (SELECT n, random() AS r, random() AS r2, now() - (%(count)s - n) * (interval '28 days' / %(count)s) AS at
      FROM generate_series(1, %(count)s) AS n) AS numbers
"""
_OBSERVATIONS = """
INSERT INTO traces_observation (project_id, trace_id, id, parent_id, start_time, end_time, type, name, level,
    model, input_tokens, output_tokens, total_tokens, total_cost, is_root, input, output, metadata)
SELECT project_id, id, left(id, 12) || k, CASE WHEN k > 0 THEN left(id, 12) || 0 END,
    timestamp + k * interval '0.9 seconds', timestamp + (k + 1) * interval '0.9 seconds',
    (ARRAY['AGENT', 'GENERATION', 'TOOL'])[CASE WHEN k = 0 THEN 1 ELSE 2 + k %% 2 END], 'step ' || k,
    CASE WHEN error_count > 0 AND k = 9 THEN 'ERROR' ELSE 'DEFAULT' END, 'gpt-4o', 400, 60, 460, 0.002, k = 0,
    repeat(md5(id || k) || ' ', 24), repeat(md5(id) || ' ', 12), '{{"step": 1}}'
FROM traces_trace, generate_series(0, {per_trace} - 1) AS k WHERE project_id = %(project)s
"""


def fill(project, observations):
    """Fill an empty project with this many observations, ten to a trace, over the last four weeks."""
    ensure_partitions(weeks_back=5)
    values = {"project": project.pk, "count": max(observations // PER_TRACE, 1)}
    with connection.cursor() as cursor:
        cursor.execute(_TRACES.format(per_trace=PER_TRACE), values)
        cursor.execute(_OBSERVATIONS.format(per_trace=PER_TRACE), values)
        cursor.execute(
            "INSERT INTO traces_session (project_id, id, first_seen, last_seen, environment, bookmarked)"
            " SELECT project_id, session_id, min(timestamp), max(timestamp), 'default', false FROM traces_trace"
            " WHERE project_id = %(project)s GROUP BY project_id, session_id",
            values,
        )


def add_long_trace(project):
    """One chat of 500 observations: turns, calls to a model, tools with JSON results, markdown answers."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO traces_trace SELECT (jsonb_populate_record(t, jsonb_build_object('id', %s::text,"
            " 'observation_count', 500, 'end_time', t.timestamp + interval '500 seconds'))).* FROM traces_trace t"
            " WHERE project_id = %s ORDER BY timestamp DESC LIMIT 1",
            [LONG_TRACE, project.pk],
        )
    trace = project.traces.get(id=LONG_TRACE)
    Observation.objects.bulk_create(_long_trace(trace))


def _long_trace(trace):
    start = trace.timestamp
    order = '{"order_id": "W%d", "status": "sent", "items": [%s]}'
    for number in range(500):
        kind = "AGENT" if number == 0 else ("GENERATION", "TOOL", "GENERATION")[number % 3]
        items = ", ".join(f'{{"name": "item {i}", "price": {i}.5, "options": {{"size": "m"}}}}' for i in range(8))
        call = f'{{"tool_calls": [{{"id": "c{number + 1}", "name": "get_order", "arguments": "{{}}"}}]}}'
        said = "Here is **what I found**:\\n\\n1. one\\n2. two\\n\\n" + "All of it is on its way. " * 10
        yield Observation(
            project_id=trace.project_id,
            trace_id=trace.id,
            id=f"bench-{number}",
            parent_id="bench-0" if number else None,
            start_time=start + number * (trace.end_time - start) / 500,
            end_time=start + (number + 1) * (trace.end_time - start) / 500,
            type=kind,
            name="get_order" if kind == "TOOL" else "step",
            input=f'[{{"role": "user", "content": "Question {number}: where is it?"}}]'
            if kind != "TOOL"
            else "{}",
            output=order % (number, items)
            if kind == "TOOL"
            else call
            if number % 3 == 0 and number
            else f'{{"role": "assistant", "content": "{said}"}}',
            metadata=f'{{"call_id": "c{number}"}}',
            total_tokens=500,
            is_root=number == 0,
        )


def pages(project):
    """[(what, path, target)] of everything that is measured."""
    base = f"/project/{project.pk}/traces"
    user = project.traces.newest_first().values_list("user_id", flat=True)[100]
    session = project.traces.newest_first().values_list("session_id", flat=True)[100]
    lists = {
        "newest 50": "",
        "name, frequent": "?q=agent+0",
        "name, absent": "?q=no+such+name",
        "tag, everywhere": "?tag=all",
        "tag, rare": "?tag=rare",
        "tag, absent": "?tag=none",
        "user": f"?user={quote(user)}",
        "session": f"?session={quote(session)}",
        "environment, rare": "?environment=staging",
        "environment, absent": "?environment=none",
        "has errors": "?failed=on",
        "time range": "?period=24h",
        "tag and errors": "?tag=beta&failed=on",
    }
    one = f"{base}/{LONG_TRACE}"
    return [
        *((f"list: {what}", base + query, LIST_TARGET) for what, query in lists.items()),
        ("sessions", f"/project/{project.pk}/sessions", LIST_TARGET),
        ("trace of 500: conversation", one, PAGE_TARGET),
        ("trace of 500: steps", f"{one}?view=tree", PAGE_TARGET),
        ("trace of 500: one step", f"{one}?view=tree&part=observation&observation=bench-42", PAGE_TARGET),
    ]


def run(target, *, quick):
    """Return the figures for a database of the target's filled with observations, then emptied again.

    A process of its own does it: this one's settings name another database.
    """
    size, requests = (20_000, 15) if quick else (1_000_000, 40)
    environment = {
        **os.environ,
        "DATABASE_URL": target.database_url,
        "EVALAPP_HOME": str(target.home),
        "EVALAPP_SECRET_KEY": secrets.token_urlsafe(48),
    }
    environment.pop("EVALAPP_BASE_URL", None)
    script = f"from evalapp.traces.bench_traces import main; main({size}, {requests})"
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", script]
    output = subprocess.run(
        command, cwd=settings.BASE_DIR, env=environment, stdout=subprocess.PIPE, check=True, text=True
    ).stdout
    return [
        Figure(
            f"{row['what']}, p95",
            row["p95_ms"],
            "ms",
            goal=row["target_ms"],
            lower_is_better=True,
            note=f"p50 {row['p50_ms']} ms, {row['observations']:,} observations",
        )
        for row in map(json.loads, output.splitlines())
    ]


def measure(*, observations, requests):
    """Yield {"what", "observations", "p50_ms", "p95_ms", "target_ms"} for each page, then remove the data."""
    project, neighbour, cookie = _tenants()
    try:
        for tenant, share in ((project, observations), (neighbour, observations // 5)):
            fill(tenant, share)
        add_long_trace(project)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE traces_trace, traces_observation, traces_session")
        with _web_server() as port:
            for what, path, target in pages(project):
                times = _times(port, path, cookie, requests)
                yield {
                    "what": what,
                    "observations": observations,
                    "p50_ms": round(statistics.median(times), 1),
                    "p95_ms": round(statistics.quantiles(times, n=20)[18], 1),
                    "target_ms": target,
                }
    finally:
        _remove()


def _tenants():
    _remove()
    organization = Organization.objects.create(id=PROJECT, name="Bench")
    project = Project.objects.create(id=PROJECT, name="Bench", organization=organization)
    neighbour = Project.objects.create(id=f"{PROJECT}-2", name="Neighbour", organization=organization)
    user = User.objects.create_user(f"{PROJECT}@localhost")
    Membership.objects.create(project=project, user=user, role=Role.OWNER)
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return project, neighbour, f"{settings.SESSION_COOKIE_NAME}={session.session_key}"


def _remove():
    ids = [PROJECT, f"{PROJECT}-2"]
    Observation.objects.filter(project_id__in=ids)._raw_delete("default")
    for tenant in Project.objects.filter(pk__in=ids):
        tenant.traces.all()._raw_delete("default")
        tenant.sessions.all()._raw_delete("default")
        tenant.delete()
    Organization.objects.filter(pk=PROJECT).delete()
    User.objects.filter(email=f"{PROJECT}@localhost").delete()


class _web_server:
    """`manage.py web` on a free port, one process: what is measured is a request, not a crowd."""

    def __enter__(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        command = [sys.executable, "manage.py", "web", "--port", str(self.port), "--workers", "1"]
        environment = {**os.environ, "EVALAPP_BASE_URL": f"http://127.0.0.1:{self.port}"}
        self.process = subprocess.Popen(
            command,
            cwd=settings.BASE_DIR,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        for _ in range(300):
            try:
                socket.create_connection(("127.0.0.1", self.port), 0.2).close()
                return self.port
            except OSError:
                time.sleep(0.1)
        raise RuntimeError("The web server did not come up within 30 seconds.")

    def __exit__(self, *error):
        os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait(10)


def _times(port, path, cookie, requests):
    """Milliseconds of each request on one connection, after three that warm the caches."""
    client = http.client.HTTPConnection("127.0.0.1", port)
    times = []
    for number in range(requests + 3):
        started = time.perf_counter()
        client.request(
            "GET",
            path,
            headers={"Cookie": cookie, "HX-Request": "true"} if "part=" in path else {"Cookie": cookie},
        )
        response = client.getresponse()
        body = response.read()
        if response.status != 200:
            raise RuntimeError(f"{path} answered {response.status}: {body[:200]!r}")
        if number >= 3:
            times.append((time.perf_counter() - started) * 1000)
    client.close()
    return times


def main(size, requests):
    """Print each page's figures as a line of JSON."""
    for row in measure(observations=size, requests=requests):
        print(json.dumps(row), flush=True)

"""The supervisor, with real processes that are really killed."""

import json
import os
import signal
import socket
import subprocess
import sys

import httpx
import psycopg
import pytest

from evalapp.runtime import paths
from tests.runtime.running import clean_environment, processes_of, running_up, temporary_home

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def up():
    """One product for the tests that leave it running."""
    with running_up(None, "--no-demo") as running:
        yield running


def try_up(home, *arguments):
    """Run an `up` that is expected to give up by itself."""
    return subprocess.run(
        [sys.executable, str(paths.REPOSITORY / "manage.py"), "up", *arguments],
        env=clean_environment(EVALAPP_HOME=str(home)),
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_second_start_points_at_the_running_one(up):
    second = try_up(up.home, "--port", "0")
    assert second.returncode == 1
    assert f"already running at {up.base_url}" in second.stderr
    assert up.ready()


def test_a_taken_port_is_named_with_the_remedy():
    with socket.socket() as taken, temporary_home() as home:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = try_up(home, "--port", str(port))
    assert refused.returncode == 1
    assert f"port {port} on 127.0.0.1 is taken" in refused.stderr
    assert "--port" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_the_static_files_are_served_from_the_home_under_hashed_names(up):
    manifest = json.loads((up.home / "static" / "staticfiles.json").read_text())["paths"]
    for plain, hashed in manifest.items():
        if plain.startswith("css/"):
            answer = httpx.get(f"{up.base_url}/static/{hashed}")
            assert answer.status_code == 200
            assert "immutable" in answer.headers["cache-control"]


@pytest.mark.parametrize("name", ["web", "worker", "valkey", "postgres", "guard"])
def test_a_killed_part_is_replaced(up, name):
    up.wait_until(lambda: up.part(name), what=name)
    killed = up.part(name).pid
    os.kill(killed, signal.SIGKILL)
    up.wait_until(lambda: (new := up.part(name)) and new.pid != killed, what=f"a new {name}")
    up.wait_until(up.ready, what="the product to be ready again")


def test_nothing_in_the_home_is_readable_by_others(up):
    for entry in up.home.iterdir():
        if entry.name != "postgres":  # its own user's, and closed by itself
            assert entry.stat().st_mode & 0o077 == 0, entry


def test_the_periodic_wake_ups_go_on_after_the_broker_was_killed(up):
    up.wait_until(lambda: up.part("valkey"), what="valkey").kill()
    log = up.home / "logs" / "worker.log"

    def swept():
        return log.read_text(errors="replace").count("sweep_jobs")

    before = swept()
    up.wait_until(lambda: swept() > before, what="the next sweep")


def test_a_killed_web_server_leaves_no_worker_of_its_own(up):
    web = up.wait_until(lambda: up.part("web"), what="web")
    up.wait_until(lambda: len(web.children()) >= 2, what="its workers")
    workers = web.children()
    web.kill()
    up.wait_until(lambda: not any(worker.is_running() for worker in workers), what="the old workers to go")
    up.wait_until(up.ready, what="the product to be ready again")


def test_ctrl_c_stops_everything_within_ten_seconds():
    with running_up(None, "--no-demo") as running:
        assert len(processes_of(running.home)) > 5
        assert running.stop(seconds=10) == 0
        assert processes_of(running.home) == []
        assert not paths.socket_dir(running.home).exists()


def test_after_a_killed_supervisor_nothing_is_left_and_every_committed_row_survives():
    with temporary_home() as home:
        with running_up(home, "--no-demo") as running:
            with psycopg.connect(paths.embedded_database_url(home), autocommit=True) as connection:
                connection.execute("CREATE TABLE kept (number int)")
                connection.execute("INSERT INTO kept SELECT generate_series(1, 1000)")
                running.process.kill()
            running.process.wait()
            running.wait_until_gone()
        with (
            running_up(home, "--no-demo"),
            psycopg.connect(paths.embedded_database_url(home)) as connection,
        ):
            assert connection.execute("SELECT count(*) FROM kept").fetchone() == (1000,)


def test_ctrl_c_in_the_middle_of_the_first_start_leaves_nothing_broken():
    with temporary_home() as home:
        first = subprocess.Popen(
            [sys.executable, str(paths.REPOSITORY / "manage.py"), "up", "--port", "0", "--no-demo"],
            env=clean_environment(EVALAPP_HOME=str(home)),
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        while "Making the database" not in first.stdout.readline():
            assert first.poll() is None
        first.send_signal(signal.SIGINT)
        assert first.wait(10) == 0
        first.stdout.close()
        assert processes_of(home) == []
        with running_up(home, "--no-demo") as second:
            assert second.ready()


@pytest.fixture
def database_url():
    """An empty database on the suite's own server, as an external one."""
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("CREATE DATABASE external")
        yield psycopg.conninfo.make_conninfo(os.environ["DATABASE_URL"], dbname="external")
        connection.execute("DROP DATABASE external WITH (FORCE)")


def test_with_external_services_up_starts_none_and_each_part_runs_alone(database_url):
    external = {"DATABASE_URL": database_url, "CELERY_BROKER_URL": os.environ["CELERY_BROKER_URL"]}
    with running_up(None, "--no-demo", **external) as running:
        assert running.ready()
        assert running.part("postgres") is None
        assert running.part("valkey") is None
        for part in ("web", "worker", "beat"):
            alone = subprocess.Popen(
                [
                    sys.executable,
                    str(paths.REPOSITORY / "manage.py"),
                    part,
                    *(["--port", "0"] if part == "web" else []),
                ],
                env=clean_environment(EVALAPP_HOME=str(running.home), **external),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
            started = {"web": "Listening at", "worker": "ready.", "beat": "beat"}[part]
            lines = []
            while started not in (line := alone.stdout.readline()):
                lines.append(line)
                assert line, "".join(lines)
            alone.send_signal(signal.SIGTERM)
            alone.stdout.read()
            assert alone.wait(30) == 0

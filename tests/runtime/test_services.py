"""The embedded database and its surroundings, in the situations that machines and crashes make."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from evalapp.runtime import children, guard, paths
from evalapp.runtime.postgres import Postgres, PostgresError
from tests.runtime.running import temporary_home

pytestmark = pytest.mark.process
only_root = pytest.mark.skipif(os.geteuid() != 0, reason="concerns root alone")


@pytest.fixture
def home():
    with temporary_home() as home:
        paths.make_home(home)
        yield home


@contextmanager
def serving(postgres):
    """Run the server of a cluster, and kill it at the end."""
    server = children.spawn(
        postgres.command(),
        account=postgres.account,
        env=postgres.environment(),
        cwd=postgres.place,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 60
        while postgres.state() != "ready":
            assert server.poll() is None, "the server ended"
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield server
    finally:
        server.kill()
        server.wait()


def query(home, sql):
    with psycopg.connect(paths.embedded_database_url(home)) as connection:
        return connection.execute(sql).fetchone()[0]


def test_text_sorts_and_folds_alike_on_every_machine(home):
    postgres = Postgres(home, throwaway=True)
    postgres.make()
    with serving(postgres):
        assert query(home, "SELECT upper('ñ é ж')") == "Ñ É Ж"
        assert query(home, "SELECT string_agg(x, '' ORDER BY x) FROM unnest('{b,A,a,B}'::text[]) x") == "ABab"


def test_a_server_that_an_earlier_start_left_is_stopped_first(home):
    postgres = Postgres(home, throwaway=True, say=lambda text: None)
    postgres.make()
    with serving(postgres) as left:
        postgres.clear_the_way()
        assert left.wait(20) == 0
    with serving(postgres):
        assert query(home, "SELECT 1") == 1


def test_a_pid_file_that_names_somebody_elses_process_is_no_hindrance(home):
    """After a restart of a container the old number often belongs to another process of the same user."""
    postgres = Postgres(home, throwaway=True)
    postgres.make()
    other = children.spawn(["sleep", "600"], account=postgres.account)
    try:
        pid_file = postgres.data / "postmaster.pid"
        pid_file.write_text(f"{other.pid}\n{postgres.data}\n0\n5432\n{postgres.socket_dir}\n\n0 0\nready\n")
        pid_file.chmod(0o644)
        postgres.clear_the_way()
        with serving(postgres):
            assert query(home, "SELECT 1") == 1
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_data_of_a_version_that_is_not_installed_is_refused_with_the_remedy(home):
    (home / "postgres").mkdir()
    (home / "postgres" / "PG_VERSION").write_text("11\n")
    if os.geteuid() == 0:
        os.chown(home / "postgres", 65534, 65534)
    with pytest.raises(PostgresError, match=r"of PostgreSQL 11, but only 18.*Install PostgreSQL 11, or move"):
        Postgres(home)


def test_half_a_cluster_is_made_anew(home):
    postgres = Postgres(home, throwaway=True)
    draft = home / "postgres.new"
    draft.mkdir()
    (draft / "PG_VERSION").write_text("18\n")
    postgres.make()
    assert not draft.exists()
    with serving(postgres):
        assert query(home, "SELECT 1") == 1


@only_root
def test_a_home_behind_a_closed_folder_keeps_its_database_elsewhere_and_the_folder_stays_closed(tmp_path):
    closed = tmp_path / "closed"
    home = closed / "home"
    home.mkdir(parents=True)
    closed.chmod(0o700)
    paths.make_home(home)
    said = []
    postgres = Postgres(home, throwaway=True, say=said.append)
    try:
        postgres.make()
        assert closed.stat().st_mode & 0o777 == 0o700
        assert str(postgres.place) in said[0]
        assert Postgres(home, say=said.append).data == postgres.data
        with serving(postgres):
            assert query(home, "SELECT 1") == 1
    finally:
        for folder in (postgres.place, paths.socket_dir(home)):
            subprocess.run(["rm", "-rf", str(folder)], check=True)


@only_root
def test_binaries_that_the_databases_user_cannot_reach_are_copied(home, tmp_path):
    postgres = Postgres(home, throwaway=True)
    tmp_path.chmod(0o700)
    install = postgres.binaries.parent
    package = install.parent
    # As a wheel lays it out: the package, and the libraries it brings beside it.
    for source in (package, package.with_name(f"{package.name}.libs")):
        if source.is_dir():
            subprocess.run(["cp", "-r", str(source), str(tmp_path)], check=True)
    # As pip leaves it under umask 077.
    subprocess.run(["chmod", "-R", "go-rw", str(tmp_path)], check=True)
    hidden = tmp_path / package.name / install.name / "bin"
    assert not postgres._can_run(hidden)
    postgres.binaries = postgres._copy_binaries(hidden)
    assert postgres.binaries.is_relative_to(home)
    postgres.make()
    with serving(postgres):
        assert query(home, "SELECT 1") == 1


@only_root
def test_a_socket_folder_that_somebody_else_made_is_refused(home):
    folder = paths.socket_dir(home)
    folder.mkdir()
    os.chown(folder, 12345, -1)
    with pytest.raises(paths.UnsafeFolder, match="belongs to user 12345"):
        Postgres(home).make()


def test_a_socket_folder_that_is_a_link_is_refused(home, tmp_path):
    paths.socket_dir(home).symlink_to(tmp_path)
    try:
        with pytest.raises(paths.UnsafeFolder):
            paths.make_socket_dir(paths.socket_dir(home), os.geteuid())
    finally:
        paths.socket_dir(home).unlink()


def test_the_secret_is_made_once_and_is_nobody_elses_to_read(home):
    secret = home / "secret_key"
    first = secret.read_text()
    paths.make_home(home)
    assert secret.read_text() == first
    assert len(first) > 50
    assert secret.stat().st_mode & 0o777 == 0o600


def test_the_guard_ends_whole_groups_when_its_parent_is_gone(tmp_path):
    """What it does for macOS, which has no death signal: a stubborn process and its child, and a folder."""
    folder = tmp_path / "left over"
    folder.mkdir()
    watch = subprocess.Popen([sys.executable, guard.__file__], stdin=subprocess.PIPE, text=True)
    stubborn = subprocess.Popen(
        ["sh", "-c", "trap '' TERM; sleep 600 & echo $!; wait; wait"],
        start_new_session=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    grandchild = int(stubborn.stdout.readline())
    spared = subprocess.Popen(["sleep", "600"], start_new_session=True)
    try:
        watch.stdin.write(f"+ {stubborn.pid} {int(signal.SIGTERM)} {int(signal.SIGKILL)}\n")
        watch.stdin.write(f"+ {spared.pid} {int(signal.SIGTERM)} {int(signal.SIGKILL)}\n- {spared.pid}\n")
        watch.stdin.write(f"rm {folder}\n")
        watch.stdin.close()
        assert stubborn.wait(30) == -signal.SIGKILL
        assert watch.wait(30) == 0
        assert not folder.exists()
        assert not Path(f"/proc/{grandchild}/cwd").exists() or sys.platform != "linux"
        assert spared.poll() is None
    finally:
        spared.kill()
        spared.wait()
        stubborn.stdout.close()

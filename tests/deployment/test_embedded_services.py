"""PostgreSQL and Valkey under our launcher: the real programs, really killed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from clipsite.embedded.binaries import PostgresInstall, postgres_install
from clipsite.embedded.folder import open_folder
from clipsite.embedded.placement import place_cluster, place_programs
from clipsite.embedded.ports import free_port
from clipsite.embedded.postgres import Postgres
from clipsite.embedded.privileges import Account, database_account
from clipsite.embedded.supervisor import Supervisor
from tests.embedded_tools import Running, processes_of, run_launcher, wait_until


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A folder that PostgreSQL's account can enter. Those of pytest are closed to it."""
    path = Path(tempfile.mkdtemp(prefix="clipsite test's „ü“ "))
    path.chmod(0o711)
    yield path
    wait_until(lambda: not processes_of(path), 60)
    shutil.rmtree(path)


def test_a_second_start_keeps_what_was_stored(data_dir: Path) -> None:
    with Running(data_dir) as first:
        first.store("heron")
    with Running(data_dir) as second:
        assert second.stored() == ({"heron"}, {"heron"})
        assert second.env["SECRET_KEY"] == first.env["SECRET_KEY"]


def test_sigterm_stops_everything(data_dir: Path) -> None:
    with Running(data_dir) as running:
        running.process.send_signal(signal.SIGTERM)
        running.process.wait(60)
        assert processes_of(data_dir) == []
        log = (data_dir / "logs" / "postgres.log").read_text()
        assert "database system is shut down" in log


@pytest.mark.parametrize("slug", ["postgres", "valkey"])
def test_a_killed_service_is_started_again(data_dir: Path, slug: str) -> None:
    with Running(data_dir) as running:
        running.store("heron")
        killed = running.pid_of(slug)
        os.kill(killed, signal.SIGKILL)
        wait_until(lambda: running.pid_of(slug) != killed and running.answers())
        assert running.stored() == ({"heron"}, {"heron"})
        assert "stopped (signal 9" in running.output()


def test_children_die_with_a_killed_launcher(data_dir: Path) -> None:
    with Running(data_dir) as running:
        running.store("heron")
        running.process.kill()
        wait_until(lambda: not processes_of(data_dir))
    with Running(data_dir) as again:
        assert again.stored() == ({"heron"}, {"heron"})


def test_start_right_after_everything_was_killed(data_dir: Path) -> None:
    with Running(data_dir) as running:
        running.store("heron")
        for pid in (running.process.pid, running.pid_of("postgres"), running.pid_of("valkey")):
            os.kill(pid, signal.SIGKILL)
    with Running(data_dir) as again:  # at once: PostgreSQL's other processes may still live
        assert again.stored() == ({"heron"}, {"heron"})


def test_start_right_after_the_launcher_was_killed(data_dir: Path) -> None:
    with Running(data_dir) as running:
        running.store("heron")
        running.process.kill()
        running.process.wait()
    with Running(data_dir) as again:  # at once: the services are still shutting down
        assert again.stored() == ({"heron"}, {"heron"})


@pytest.mark.parametrize("is_zombie", [False, True], ids=["another program", "a zombie"])
def test_a_stale_pid_file_is_not_believed(data_dir: Path, is_zombie: bool) -> None:
    with Running(data_dir) as running:
        running.store("heron")
    account = database_account()
    # PostgreSQL believes the file only if it may signal the process.
    stranger = subprocess.Popen(
        ["/bin/sh", "-c", "exit 0" if is_zombie else "exec sleep 1000"],
        user=account.uid if account else None,
        stdin=subprocess.DEVNULL,
    )
    try:
        (data_dir / "postgres" / "postmaster.pid").write_text(
            f"{stranger.pid}\n{data_dir}/postgres\n1700000000\n5432\n\n127.0.0.1\n0 0\nready\n"
        )
        with Running(data_dir) as again:
            assert again.stored() == ({"heron"}, {"heron"})
        assert is_zombie or stranger.poll() is None, "the other program was left alone"
    finally:
        stranger.kill()
        stranger.wait()


def test_one_launcher_for_a_data_folder(data_dir: Path) -> None:
    with Running(data_dir) as running:
        running.store("heron")
        second = run_launcher("exec", "--data-dir", str(data_dir), "--", "true")
        assert second.returncode == 1
        assert second.stderr.startswith("Clipsite is already running")
        assert str(data_dir) in second.stderr
        assert running.stored() == ({"heron"}, {"heron"})


def test_nothing_is_reached_without_a_password(data_dir: Path) -> None:
    with Running(data_dir) as running:
        port = running.env["DATABASE_URL"].rpartition(":")[2].partition("/")[0]
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(f"postgresql://clipsite:wrong@127.0.0.1:{port}/clipsite")
        address = running.env["REDIS_URL"].rpartition("@")[2]
        with pytest.raises(redis.AuthenticationError):
            redis.Redis.from_url(f"redis://{address}").ping()
        for password in (running.env["DATABASE_URL"], running.env["REDIS_URL"]):
            secret = password.partition("@")[0].rpartition(":")[2].encode()
            assert not any(
                secret in Path(f"/proc/{pid}/cmdline").read_bytes()
                for pid in (*processes_of(data_dir), running.process.pid)
            )
        with running.database() as connection:
            assert connection.execute("SHOW fsync").fetchone() == ("on",)
            assert connection.execute("SHOW unix_socket_directories").fetchone() == ("",)


def test_exec_returns_the_exit_code_and_deletes_a_temporary_folder() -> None:
    code = "import os, sys; print(os.environ['DATA_DIR']); sys.exit(7)"
    done = run_launcher("exec", "--temporary", "--", sys.executable, "-c", code)
    assert done.returncode == 7, done.stderr
    assert not Path(done.stdout.strip()).exists()


def test_a_command_that_does_not_exist_is_one_sentence() -> None:
    done = run_launcher("exec", "--temporary", "--", "no-such-program")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("The command no-such-program cannot be run")
    assert "Traceback" not in done.stderr


def test_folders_that_postgresql_cannot_enter(tmp_path: Path, data_dir: Path) -> None:
    """The data folder and the programs are closed to the account. The cluster is made elsewhere,
    the programs are copied beside it, and no folder is opened."""
    tmp_path.chmod(0o700)
    folder = open_folder(tmp_path / "data")
    nobody = Account("nobody", 65534, 65534)
    closed = _copied_install(tmp_path)

    cluster = place_cluster(folder, nobody, state=data_dir / "state")
    programs = place_programs(closed, cluster.parent, nobody)

    assert cluster.is_relative_to(data_dir)
    assert folder.postgres.readlink() == cluster
    assert programs.root.is_relative_to(cluster.parent)
    assert place_cluster(folder, nobody, state=data_dir / "state") == cluster
    assert place_programs(closed, cluster.parent, nobody) == programs
    assert tmp_path.stat().st_mode & 0o777 == 0o700
    postgres = Postgres(programs, cluster, free_port(), "secret", database_account())
    postgres.ensure_cluster()
    with Supervisor(folder.run, print) as supervisor:
        supervisor.start(postgres.program(folder.log("postgres")), "postgres")
        assert supervisor.wait_for(postgres.is_up, 30, fragile="postgres")
        postgres.ensure_database()
        postgres.query("CREATE EXTENSION vector")
        assert postgres.query("SELECT '[1,2]'::vector") == "[1,2]"


def _copied_install(folder: Path) -> PostgresInstall:
    """Copy the wheel's files, as in a virtual environment below `folder`."""
    original = postgres_install()
    copy = PostgresInstall(folder / original.root.parent.name / original.root.name)
    shutil.copytree(original.root, copy.root, ignore=shutil.ignore_patterns("include", "*.a"))
    shutil.copytree(original.libraries, copy.libraries)
    return copy

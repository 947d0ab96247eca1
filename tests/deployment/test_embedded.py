"""Unit tests of the launcher. test_embedded_services.py runs the services."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import pytest

from clipsite.embedded import credentials, folder, ports, records
from clipsite.embedded.binaries import postgres_install
from clipsite.embedded.console import say
from clipsite.embedded.errors import LaunchError
from clipsite.embedded.folder import DataFolder, only_launcher, open_folder
from clipsite.embedded.placement import place_cluster
from clipsite.embedded.postgres import Postgres
from clipsite.embedded.privileges import Account, may_enter, may_read
from clipsite.embedded.processes import Identity, Program, ask, insist, spawn
from clipsite.embedded.supervisor import Supervisor
from tests.embedded_tools import REPOSITORY, run_launcher, wait_until

NOBODY = Account("nobody", 65534, 65534)


@pytest.fixture
def data(tmp_path: Path) -> DataFolder:
    return open_folder(tmp_path / "data")


@pytest.fixture
def open_place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder below folders whose modes let everybody pass."""
    path = tmp_path_factory.mktemp("open")
    path.chmod(0o755)
    return path


def program(*argv: str, **options: object) -> Program:
    return Program(name="Test", argv=argv, env={"PATH": os.environ["PATH"]}, **options)  # type: ignore[arg-type]


# --- Processes -------------------------------------------------------------------


def test_the_launcher_imports_neither_django_nor_torch() -> None:
    code = (
        "import sys, clipsite.embedded.__main__; "
        "print({'django', 'celery', 'torch', 'numpy'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"


def test_a_process_is_recognised_by_more_than_its_id() -> None:
    me = Identity.from_pid(os.getpid())
    assert me is not None
    assert me.is_running()
    assert not Identity(me.pid, me.start_ticks - 1, me.boot).is_running()
    assert not Identity(me.pid, me.start_ticks, "another boot").is_running()


def test_a_zombie_is_not_running() -> None:
    process = subprocess.Popen(["true"])
    wait_until(lambda: Identity.from_pid(process.pid) is None)
    assert Path(f"/proc/{process.pid}").exists(), "not reaped yet"
    process.wait()


def test_a_child_that_ignores_the_request_is_killed() -> None:
    stubborn = program(
        "sh", "-c", "trap '' TERM; echo; while true; do sleep 0.1; done", patience=0.3
    )
    process = spawn(stubborn)
    ask(process, stubborn)
    insist(process, stubborn)
    assert process.returncode in (-signal.SIGTERM, -signal.SIGKILL)


def test_leftovers_are_stopped_and_strangers_left_alone(data: DataFolder) -> None:
    sleeper = program("sleep", "1000")
    left, stranger = spawn(sleeper), spawn(sleeper)
    try:
        records.write(data.run, "left", left, sleeper)
        records.write(data.run, "reused", stranger, sleeper)
        reused = data.run / "reused.pid.json"
        identity = Identity.from_pid(stranger.pid)
        assert identity is not None
        reused.write_text(
            reused.read_text().replace(str(identity.start_ticks), str(identity.start_ticks - 5))
        )
        (data.run / "torn.pid.json").write_text('{"name": "PostgreS')

        assert records.stop_leftovers(data.run) == ["Test"]

        assert left.wait(5) == -signal.SIGTERM
        assert stranger.poll() is None
        assert list(data.run.glob("*.pid.json")) == []
    finally:
        for process in (left, stranger):
            process.kill()
            process.wait()


def test_what_dies_is_started_again_with_growing_pauses(data: DataFolder) -> None:
    said: list[str] = []
    starts = data.root / "starts"
    with Supervisor(data.run, said.append) as supervisor:
        supervisor.start(program("sh", "-c", f"echo >> {starts}; exit 3"), "test")
        assert supervisor.wait_for(lambda: len(said) == 3, 20)
    assert starts.read_text().count("\n") == 3
    assert said[0] == "Test stopped (exit code 3). Starting it again."
    assert said[2] == "Test stopped (exit code 3). Starting it again in 2 s."


def test_what_does_not_start_is_an_error_with_its_reason(data: DataFolder) -> None:
    log = data.log("test")
    broken = program("sh", "-c", "echo no room; exit 3", log=log)
    with Supervisor(data.run, print) as supervisor:
        supervisor.start(broken, "test")
        with pytest.raises(LaunchError, match=r"did not start \(exit code 3\)[\s\S]*no room"):
            supervisor.wait_for(lambda: False, 10, fragile="test")


class ClosedTerminal(StringIO):
    def write(self, text: str) -> int:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")


def test_a_closed_terminal_is_no_reason_to_stop() -> None:
    say("Nobody reads this.", ClosedTerminal())


# --- Ports -----------------------------------------------------------------------


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_the_next_free_port_is_taken(taken: int) -> None:
    with ports.listen(taken) as listener:
        assert taken < listener.getsockname()[1] < taken + 100
    assert ports.free_port(taken) != taken


def test_no_port_left_is_one_sentence(taken: int) -> None:
    with pytest.raises(LaunchError, match="PORT="):
        ports.listen(taken, attempts=1)


# --- The data folder -------------------------------------------------------------


def test_a_folder_of_another_user_is_refused(
    data: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder.os, "geteuid", lambda: 54321)
    with pytest.raises(LaunchError, match="and you are user 54321"):
        open_folder(data.root)


def test_a_full_disk_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=3 * 1024 * 1024))
    with pytest.raises(LaunchError, match="has 3 MiB left"):
        open_folder(tmp_path / "data")


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = run_launcher("demo", "--data-dir", str(tmp_path / "file" / "data"))
    assert done.returncode == 1
    assert "cannot be written" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_lock_names_the_running_address(data: DataFolder) -> None:
    with only_launcher(data) as lock:
        lock.write_text("http://127.0.0.1:8000")
        with (
            pytest.raises(LaunchError, match=r"already running at http://127\.0\.0\.1:8000 with"),
            only_launcher(data),
        ):
            pass
    with only_launcher(data):
        pass


def test_secrets_are_made_once_and_kept_private(data: DataFolder) -> None:
    made = credentials.load_or_create(data.secrets)
    assert credentials.load_or_create(data.secrets) == made
    assert len({made.secret_key, made.database_password, made.valkey_password}) == 3
    assert data.secrets.stat().st_mode & 0o777 == 0o600
    data.secrets.write_text("{")
    with pytest.raises(LaunchError, match="damaged"):
        credentials.load_or_create(data.secrets)


# --- Accounts and places ---------------------------------------------------------


def test_modes_decide_what_an_account_reaches(open_place: Path) -> None:
    closed = open_place / "closed"
    closed.mkdir(mode=0o700)
    (closed / "file").touch(mode=0o644)
    me = closed.stat()
    stranger = me.st_uid + 1, me.st_gid + 1
    assert not may_enter(closed, *stranger)
    assert not may_read(closed / "file", *stranger)
    assert may_enter(closed, me.st_uid, me.st_gid)
    closed.chmod(0o710)
    assert not may_enter(closed, stranger[0], stranger[1])
    assert may_enter(closed, 0, 0)


def test_a_reachable_cluster_lies_in_the_data_folder(
    data: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert place_cluster(data, None) == data.postgres


def test_a_copied_data_folder_does_not_share_the_cluster(data: DataFolder, tmp_path: Path) -> None:
    data.root.chmod(0o700)
    cluster = place_cluster(data, NOBODY, tmp_path / "state")
    copy = tmp_path / "copy"
    shutil.copytree(data.root, copy, symlinks=True)
    with pytest.raises(LaunchError, match="is a copy of"):
        place_cluster(DataFolder(copy), NOBODY, tmp_path / "state")

    moved = tmp_path / "moved"
    data.root.rename(moved)
    assert place_cluster(DataFolder(moved), NOBODY, tmp_path / "state") == cluster


def test_the_cluster_of_a_deleted_data_folder_is_set_aside(tmp_path: Path) -> None:
    for _ in range(2):
        data = open_folder(tmp_path / "data")
        data.root.chmod(0o700)
        cluster = place_cluster(data, NOBODY, tmp_path / "state")
        cluster.mkdir(exist_ok=True)
        shutil.rmtree(data.root)
    assert len(list(cluster.parent.glob("cluster-left-*"))) == 1


def test_another_major_version_is_one_sentence(tmp_path: Path) -> None:
    cluster = tmp_path / "postgres"
    cluster.mkdir()
    (cluster / "PG_VERSION").write_text("16\n")
    with pytest.raises(LaunchError, match="made by PostgreSQL 16"):
        Postgres(postgres_install(), cluster, 1, "secret").ensure_cluster()

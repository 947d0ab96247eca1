"""PostgreSQL with pgvector from a wheel: creates the cluster, starts it, checks whether it is up.

It accepts only TCP on 127.0.0.1 with a password: no socket file, no trust authentication.
placement.py decides where the program files and the cluster are.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from clipsite.embedded import memory
from clipsite.embedded.binaries import POSTGRES_MAJOR, PostgresInstall
from clipsite.embedded.errors import LaunchError
from clipsite.embedded.ports import HOST
from clipsite.embedded.privileges import Account
from clipsite.embedded.processes import (
    Program,
    command_line,
    die_with_parent,
    wait_until,
    write_atomically,
)

ROLE = DATABASE = "clipsite"
# Servers from wheels have no messages or locales of their own, and the caller's locale may not
# exist.
_ENV = {"LC_ALL": "C", "PATH": "/usr/bin:/bin", "TZ": "UTC"}


@dataclass(frozen=True)
class Postgres:
    """One cluster: its path, its programs, and its connection."""

    install: PostgresInstall
    cluster: Path
    port: int
    password: str
    account: Account | None = None
    # False only for folders that are deleted afterwards, such as those of tests.
    durable: bool = True

    @property
    def url(self) -> str:
        return f"postgres://{ROLE}:{self.password}@{HOST}:{self.port}/{DATABASE}"

    def program(self, log: Path) -> Program:
        return Program(
            name="PostgreSQL",
            argv=[str(self.install.program("postgres")), "-D", str(self.cluster), *self._options()],
            env=_ENV,
            log=log,
            is_service=True,
            account=self.account,
            stop_signal=signal.SIGINT,  # "fast": closes connections, writes a checkpoint
            kill_signal=signal.SIGQUIT,  # "immediate": recovery at the next start
            patience=60.0,
            before_start=self.clear_leftovers,
        )

    def _options(self) -> list[str]:
        settings: dict[str, object] = {
            "listen_addresses": HOST,
            "port": self.port,
            "unix_socket_directories": "",
            # The command line of every process of this cluster shows this name.
            "cluster_name": self._cluster_name,
            "max_connections": 200,
            **_sizes(),
        }
        if not self.durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]

    @property
    def _cluster_name(self) -> str:
        return "clipsite-" + hashlib.sha256(os.fsencode(self.cluster)).hexdigest()[:12]

    # --- The cluster ------------------------------------------------------------

    def ensure_cluster(self) -> bool:
        """Create the cluster if there is none. Return whether it was created.

        It is created under another name and then renamed, so that an interrupted start leaves
        no incomplete cluster.
        """
        version_file = self.cluster / "PG_VERSION"
        if version_file.exists():
            _check_version(self.cluster, version_file.read_text().strip())
            return False
        draft = self.cluster.with_name(self.cluster.name + ".new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        if self.account:
            os.chown(draft, self.account.uid, self.account.gid)
        self._initdb(draft)
        draft.replace(self.cluster)
        return True

    def _initdb(self, target: Path) -> None:
        password = target.with_suffix(".password")
        write_atomically(password, self.password)
        if self.account:
            os.chown(password, self.account.uid, self.account.gid)
        try:
            done = subprocess.run(
                [
                    str(self.install.program("initdb")),
                    f"--pgdata={target}",
                    f"--username={ROLE}",
                    f"--pwfile={password}",
                    "--auth=scram-sha-256",
                    "--encoding=UTF8",
                    "--locale=C",
                    "--locale-provider=builtin",
                    "--builtin-locale=C.UTF-8",
                    *([] if self.durable else ["--no-sync"]),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                env=_ENV,
                cwd="/",  # the account may not be able to enter ours
                user=self.account.uid if self.account else None,
                group=self.account.gid if self.account else None,
                extra_groups=[] if self.account else None,
                preexec_fn=die_with_parent(signal.SIGKILL),
            )
        finally:
            password.unlink()
        if done.returncode != 0:
            raise LaunchError(f"PostgreSQL could not create its files: {done.stdout.strip()}")

    def ensure_database(self) -> None:
        """Create the application's database if it does not exist. The server must be up."""
        if DATABASE not in self.query("SELECT datname FROM pg_database", "postgres").split():
            self.query(f"CREATE DATABASE {DATABASE}", "postgres")

    # --- The server -------------------------------------------------------------

    def is_up(self) -> bool:
        """Whether the server accepts connections."""
        done = subprocess.run(
            [
                str(self.install.program("pg_isready")),
                *("-q", "-h", HOST, "-p", str(self.port), "-d", "postgres"),
            ],
            env=_ENV,
            cwd="/",
        )
        return done.returncode == 0

    def query(self, sql: str, database: str = DATABASE) -> str:
        """Run one statement and return its unaligned output."""
        done = subprocess.run(
            [
                str(self.install.program("psql")),
                *("-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"),
                *("-h", HOST, "-p", str(self.port), "-U", ROLE, "-d", database, "-c", sql),
            ],
            env=_ENV | {"PGPASSWORD": self.password},
            cwd="/",
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            raise LaunchError(f"PostgreSQL refused a statement: {done.stderr.strip()}")
        return done.stdout.strip()

    def processes(self) -> list[int]:
        """The ids of the running processes of this cluster, from any launcher.

        This recognises them by their command lines, which every container can read, unlike
        a process's working directory. Zombies have no command line.
        """
        pids = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal())
        return [pid for pid in pids if self._is_ours(command_line(pid))]

    def _is_ours(self, arguments: list[str]) -> bool:
        if not arguments:
            return False
        if Path(arguments[0]).name == "postgres":  # the server itself
            return str(self.cluster) in arguments
        return arguments[0].startswith(f"postgres: {self._cluster_name}: ")

    def clear_leftovers(self) -> None:
        """Wait until the processes of a killed server have ended, then remove its stale pid file.

        PostgreSQL refuses to start while the file names an existing process, even if that is a
        zombie or another program with the same id.
        """
        if not wait_until(lambda: not self.processes(), 5.0):
            for sig in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
                for pid in self.processes():
                    _send(pid, sig)
                if wait_until(lambda: not self.processes(), 20.0):
                    break
            else:
                raise LaunchError(
                    f"A PostgreSQL server is still using {self.cluster} and does not stop. "
                    "Restart the machine and start Clipsite again."
                )
        (self.cluster / "postmaster.pid").unlink(missing_ok=True)


def _send(pid: int, sig: signal.Signals) -> None:
    try:
        os.kill(pid, sig)
    except ProcessLookupError:
        return


def _check_version(cluster: Path, version: str) -> None:
    if version != str(POSTGRES_MAJOR):
        raise LaunchError(
            f"The database in {cluster} was made by PostgreSQL {version} and this Clipsite brings "
            f'PostgreSQL {POSTGRES_MAJOR}. See "Moving to another PostgreSQL" in '
            "docs/operations.md, or choose another folder with DATA_DIR=."
        )


def _sizes() -> dict[str, object]:
    """Memory settings for this machine."""
    total = memory.total_mib()
    maintenance = 1024 if total >= 6 * 1024 else max(64, total // 8)
    settings: dict[str, object] = {
        # A vector index is read in random order, and each page outside of this buffer is copied
        # from the system's cache. The memory is only allocated as it is used.
        "shared_buffers": f"{min(max(total // 8, 64), 4096)}MB",
        "maintenance_work_mem": f"{maintenance}MB",
        "autovacuum_work_mem": "128MB",
        "work_mem": "16MB",
    }
    if memory.shared_memory_mib() < 1024 + 256:
        # A parallel index build keeps the graph in /dev/shm (up to INDEX_BUILD_MEMORY, 1 GB by
        # default); a build in one process uses its own memory.
        settings["max_parallel_maintenance_workers"] = 0
    return settings

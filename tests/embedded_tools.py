"""A launcher in its own process, and what the tests ask about it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import redis

REPOSITORY = Path(__file__).resolve().parent.parent
LAUNCHER = [sys.executable, "-m", "clipsite.embedded"]


def wait_until(condition: Callable[[], object], seconds: float = 30.0) -> None:
    """Poll until `condition` is true. Raise AssertionError if it stays false."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain"
        time.sleep(0.05)


def run_launcher(*arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess:
    return subprocess.run(
        [*LAUNCHER, *arguments],
        cwd=REPOSITORY,
        env=os.environ | (env or {}),
        capture_output=True,
        text=True,
        timeout=120,
    )


class Running:
    """A running `exec` whose command only waits: PostgreSQL and Valkey are up and watched."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self._env_file = data_dir / "env.json"
        self._env_file.unlink(missing_ok=True)
        dump = (
            "import json, os, signal; "
            f"open({str(self._env_file)!r} + '.new', 'w').write(json.dumps(dict(os.environ))); "
            f"os.rename({str(self._env_file)!r} + '.new', {str(self._env_file)!r}); signal.pause()"
        )
        self._output = (data_dir / "output").open("w+")
        self.process = subprocess.Popen(
            [*LAUNCHER, "exec", "--data-dir", str(data_dir), "--", sys.executable, "-c", dump],
            cwd=REPOSITORY,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        wait_until(lambda: self._env_file.exists() or self.process.poll() is not None, 60)
        assert self._env_file.exists(), self.output()
        self.env: dict[str, str] = json.loads(self._env_file.read_text())

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *exception: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)
        self._output.close()

    def output(self) -> str:
        return (self.data_dir / "output").read_text()

    def pid_of(self, slug: str) -> int:
        pid: int = json.loads((self.data_dir / "run" / f"{slug}.pid.json").read_text())["identity"][
            "pid"
        ]
        return pid

    def database(self) -> psycopg.Connection:
        return psycopg.connect(
            self.env["DATABASE_URL"].replace("postgres://", "postgresql://"),
            autocommit=True,
            connect_timeout=5,
        )

    def valkey(self) -> redis.Redis:
        return redis.Redis.from_url(self.env["REDIS_URL"], socket_timeout=5)

    def store(self, word: str) -> None:
        """Store `word` in both services."""
        with self.database() as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS kept (word text)")
            connection.execute("INSERT INTO kept VALUES (%s)", [word])
        self.valkey().sadd("kept", word)

    def stored(self) -> tuple[set[str], set[str]]:
        """Return the stored words of the database and of Valkey."""
        with self.database() as connection:
            rows = {word for (word,) in connection.execute("SELECT word FROM kept")}
        return rows, {word.decode() for word in self.valkey().smembers("kept")}

    def answers(self) -> bool:
        try:
            self.stored()
        except (psycopg.OperationalError, redis.ConnectionError):
            return False
        return True


def processes_of(data_dir: Path) -> list[int]:
    """Return the living processes with the folder in their command line or environment."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            try:
                command = (entry / "cmdline").read_bytes()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if os.fsencode(data_dir) in command:
                found.append(int(entry.name))
    return found

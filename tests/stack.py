"""The whole product in its own processes, so that tests can kill parts of it.

It works on the test database and has its own broker, media folder and workers.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import redis
import requests

from clipsite.embedded.binaries import valkey_server
from clipsite.embedded.ports import free_port
from clipsite.embedded.valkey import Valkey
from tests.conftest import ROOT, start_worker, stop, wait_for, worker_environment

READY_SECONDS = 90
HEARTBEAT = "clipsite:encoder:heartbeat"


class Stack:
    """The parts start one by one. `close` stops all running parts."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.media = folder / "media"
        (folder / "valkey").mkdir(parents=True)
        self.valkey = Valkey(valkey_server(), folder / "valkey", free_port(0), "stack-password")
        self.environment = {
            "REDIS_URL": self.valkey.url,
            "CLIPSITE_SWEEP_SECONDS": "1",
            "INDEX_BATCH_SIZE": "4",
            "QUERY_TIMEOUT_SECONDS": "5",
            **environment,
        }
        self._running: list[subprocess.Popen[bytes]] = []

    def start_broker(self) -> subprocess.Popen[bytes]:
        program = self.valkey.program(self.folder / "valkey.log", self.folder / "valkey.conf")
        process = self._run(program.argv, cwd=program.cwd)
        wait_for(self.valkey.is_up, 20, "the broker answers")
        return process

    def start_encoder(self, *, ready: bool = True) -> subprocess.Popen[bytes]:
        process = start_worker(
            "encoder",
            "query,index",
            self.media,
            self.folder / "encoder.log",
            concurrency=8,
            **self.environment,
        )
        self._running.append(process)
        if ready:
            wait_for(lambda: self.heartbeat() == "ready", READY_SECONDS, "the encoder is ready")
        return process

    def start_media(self) -> subprocess.Popen[bytes]:
        return self._start_worker("media", 2)

    def start_chores(self) -> subprocess.Popen[bytes]:
        return self._start_worker("chores", 20)

    def _start_worker(self, role: str, threads: int) -> subprocess.Popen[bytes]:
        log = self.folder / f"{role}.log"
        process = start_worker(role, role, self.media, log, threads, **self.environment)
        self._running.append(process)
        return process

    def start_beat(self) -> subprocess.Popen[bytes]:
        schedule = str(self.folder / "schedule")
        return self._run([sys.executable, "-m", "celery", "-A", "clipsite", "beat", "-s", schedule])

    def start_web(self) -> subprocess.Popen[bytes]:
        port = free_port(0)
        self.url = f"http://127.0.0.1:{port}"
        process = self._run(
            [
                *(sys.executable, "-m", "gunicorn", "clipsite.wsgi", "-b", f"127.0.0.1:{port}"),
                *("--threads", "16"),
            ]
        )
        wait_for(self._answers, READY_SECONDS, "the web server answers")
        return process

    def server(self) -> redis.Redis:
        return redis.Redis.from_url(self.valkey.url)

    def heartbeat(self) -> str | None:
        value: Any = self.server().get(HEARTBEAT)
        return value.decode() if value else None

    def close(self) -> None:
        for process in reversed(self._running):
            stop(process)

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/api/v1/health/", timeout=2).ok
        except requests.RequestException:
            return False

    def _run(self, command: list[str], cwd: Path = ROOT) -> subprocess.Popen[bytes]:
        with (self.folder / "processes.log").open("ab") as log:
            process = subprocess.Popen(
                command,
                cwd=cwd,
                env=worker_environment(self.media, DEBUG="1", **self.environment),
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._running.append(process)
        return process

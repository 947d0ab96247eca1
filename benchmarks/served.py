"""Serves the site like the demo, with the workers that a benchmark needs."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import urllib3

from clipsite.embedded.ports import free_port
from clipsite.embedded.programs import WEB_PROCESSES, WEB_THREADS

# Rate limits would distort the measurements.
NO_LIMITS = dict.fromkeys(
    (
        *("THROTTLE_LOGIN", "THROTTLE_SEARCH", "THROTTLE_CLASSIFY", "THROTTLE_ANONYMOUS"),
        *("THROTTLE_VISITOR_SEARCH", "THROTTLE_VISITOR_CLASSIFY"),
    ),
    "",
)
READY_SECONDS = 180.0

_PYTHON = [sys.executable, "-m"]
_CELERY = [*_PYTHON, "celery", "--app", "clipsite"]


@dataclass
class Api:
    """One persistent connection, like that of a browser or a program."""

    address: str
    http: urllib3.PoolManager

    def search(self, text: str, limit: int) -> dict[str, Any]:
        fields = {"q": text, "limit": str(limit)}
        return _json(self.http.request("GET", f"{self.address}/search/", fields=fields))


@dataclass
class Site:
    """`processes` are by role."""

    url: str
    processes: dict[str, subprocess.Popen[bytes]]

    def signed_in(self, username: str, password: str) -> Api:
        api = Api(f"{self.url}/api/v1", urllib3.PoolManager())
        account = {"username": username, "password": password}
        answer = api.http.request("POST", f"{api.address}/auth/login/", json=account)
        api.http.headers["Authorization"] = f"Token {_json(answer)['token']}"
        return api


@contextmanager
def served(limits: Mapping[str, str] = NO_LIMITS, *, whole: bool = False) -> Iterator[Site]:
    """Run a web process and an encoder for queries. With `whole`, run all programs of the demo:
    as many web processes, an encoder that also indexes, the other workers and the scheduler."""
    port = free_port()
    # The same as in the demo.
    env = os.environ | limits | {"MALLOC_ARENA_MAX": "2", "WEB_THREADS": str(WEB_THREADS)}
    with tempfile.TemporaryDirectory() as folder:
        programs = _whole(port, folder) if whole else _queries_only(port)
        running = {name: subprocess.Popen(program, env=env) for name, program in programs.items()}
        try:
            site = Site(f"http://127.0.0.1:{port}", running)
            _await(f"{site.url}/api/v1/ready/")
            yield site
        finally:
            for process in running.values():
                process.terminate()
            for process in running.values():
                process.wait(30)


def _queries_only(port: int) -> dict[str, list[str]]:
    return {"web": _web(port, 1), "encoder": _worker("encoder", "query", 4)}


def _whole(port: int, folder: str) -> dict[str, list[str]]:
    beat = [*_CELERY, "beat", "--schedule", f"{folder}/schedule", "--pidfile", ""]
    return {
        "web": _web(port, WEB_PROCESSES),
        "encoder": _worker("encoder", "query,index", 8),
        "media": _worker("media", "media", 2),
        "chores": _worker("chores", "chores", 20),
        "beat": [*beat, "--loglevel", "WARNING"],
    }


def _web(port: int, processes: int) -> list[str]:
    return [
        *(*_PYTHON, "gunicorn", "clipsite.wsgi", "--bind", f"127.0.0.1:{port}"),
        *("--workers", str(processes), "--threads", str(WEB_THREADS), "--no-control-socket"),
        *("--log-level", "warning"),
    ]


def _worker(name: str, queues: str, threads: int) -> list[str]:
    return [
        *(*_CELERY, "worker", "--queues", queues, "--hostname", f"{name}@%h"),
        *("--pool", "threads", "--concurrency", str(threads)),
        *("--without-gossip", "--without-mingle", "--loglevel", "WARNING"),
    ]


def _json(answer: urllib3.BaseHTTPResponse) -> dict[str, Any]:
    if answer.status != 200:
        raise SystemExit(f"{answer.url} answered {answer.status}: {answer.data[:500]!r}")
    found: dict[str, Any] = answer.json()
    return found


def _await(address: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        try:
            if urllib3.request("GET", address, timeout=5, retries=False).status == 200:
                return
        except urllib3.exceptions.HTTPError:
            pass  # not listening yet
        time.sleep(0.5)
    raise SystemExit(f"{address} is not ready after {READY_SECONDS:.0f} seconds.")

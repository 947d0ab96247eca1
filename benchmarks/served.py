"""The site as the demo serves it, with an encoder worker, asked by one signed-in client."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import urllib3

from clipsite.embedded.ports import free_port

# What is measured is no limit.
NO_LIMITS = dict.fromkeys(
    (
        *("THROTTLE_LOGIN", "THROTTLE_SEARCH", "THROTTLE_CLASSIFY", "THROTTLE_ANONYMOUS"),
        *("THROTTLE_VISITOR_SEARCH", "THROTTLE_VISITOR_CLASSIFY"),
    ),
    "",
)
READY_SECONDS = 180.0


@dataclass
class Api:
    """One kept connection, as a browser or a program has it."""

    address: str
    http: urllib3.PoolManager

    def search(self, text: str, limit: int) -> dict[str, Any]:
        fields = {"q": text, "limit": str(limit)}
        return _json(self.http.request("GET", f"{self.address}/search/", fields=fields))


@dataclass
class Site:
    url: str

    def signed_in(self, username: str, password: str) -> Api:
        api = Api(f"{self.url}/api/v1", urllib3.PoolManager())
        account = {"username": username, "password": password}
        answer = api.http.request("POST", f"{api.address}/auth/login/", json=account)
        api.http.headers["Authorization"] = f"Token {_json(answer)['token']}"
        return api


@contextmanager
def served() -> Iterator[Site]:
    port = free_port()
    env = os.environ | NO_LIMITS
    python = [sys.executable, "-m"]
    programs = [
        [
            *(*python, "gunicorn", "clipsite.wsgi", "--bind", f"127.0.0.1:{port}"),
            *("--workers", "1", "--threads", "16", "--no-control-socket"),
            *("--log-level", "warning"),
        ],
        [
            *(*python, "celery", "--app", "clipsite", "worker", "--queues", "query"),
            *("--pool", "threads", "--concurrency", "4", "--without-gossip", "--without-mingle"),
            *("--hostname", "benchmark@%h", "--loglevel", "WARNING"),
        ],
    ]
    running = [subprocess.Popen(program, env=env) for program in programs]
    try:
        site = Site(f"http://127.0.0.1:{port}")
        _await(f"{site.url}/api/v1/ready/")
        yield site
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(30)


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

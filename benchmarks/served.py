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

import requests

from clipsite.embedded.ports import free_port

# The demo's: what is measured is no throttle.
LIMITS = {
    "THROTTLE_ANONYMOUS": "60000/min",
    "THROTTLE_SEARCH": "60000/min",
    "THROTTLE_LOGIN": "600/min",
}
READY_SECONDS = 180.0


@dataclass
class Api:
    """One kept connection, as a browser or a program has it."""

    address: str
    session: requests.Session

    def search(self, text: str, limit: int) -> dict[str, Any]:
        answer = self.session.get(f"{self.address}/search/", params={"q": text, "limit": limit})
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found


@dataclass
class Site:
    url: str

    def signed_in(self, username: str, password: str) -> Api:
        api = Api(f"{self.url}/api/v1", requests.Session())
        api.session.trust_env = False
        answer = api.session.post(
            f"{api.address}/auth/login/", json={"username": username, "password": password}
        )
        answer.raise_for_status()
        api.session.headers["Authorization"] = f"Token {answer.json()['token']}"
        return api


@contextmanager
def served() -> Iterator[Site]:
    port = free_port()
    env = os.environ | LIMITS
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


def _await(address: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        try:
            if requests.get(address, timeout=5).ok:
                return
        except requests.ConnectionError:
            pass  # not listening yet
        time.sleep(0.5)
    raise SystemExit(f"{address} is not ready after {READY_SECONDS:.0f} seconds.")

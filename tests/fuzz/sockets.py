"""Requests that no client library sends, to a real web server: bodies of another length than
stated, chunks without size, endless heads."""

from __future__ import annotations

import contextlib
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import requests

from clipsite.embedded.ports import free_port
from tests.conftest import worker_environment
from tests.fuzz import values
from tests.fuzz.requests import Figures
from tests.fuzz.world import world
from tests.measured import MEGABYTE, MOST_SECONDS, ROOT, memory

_START_SECONDS = 120
_MOST_KEPT = 150 * MEGABYTE
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")


def run(seed: int, count: int, found: Path) -> Figures:
    """Open `count` connections of `seed`. Keep those with a fault in the folder `found`."""
    figures = Figures()
    with world(), _server(found / "server.log") as (port, server):
        settled = 0
        for number in range(count):
            sent = drawn(Random(f"{seed}/socket/{number}"))
            began = time.monotonic()
            answer = _exchange(port, sent)
            seconds = time.monotonic() - began
            faults = list(_wrong(answer, seconds, figures))
            if not _alive(port):
                faults.append("the server no longer answers")
            if faults:
                found.mkdir(parents=True, exist_ok=True)
                path = found / f"socket-{seed}-{number}"
                path.write_bytes(sent)
                figures.faults.append(f"{path}: {sent[:80]!r}: {'; '.join(faults)}")
                print(figures.faults[-1], flush=True)
            if number == count // 5:
                settled = _resident(server)
        figures.kept = _resident(server) - settled if settled else 0
    if figures.kept > _MOST_KEPT:
        figures.faults.append(f"the server kept {figures.kept / MEGABYTE:.0f} MB")
    return figures


def again(path: Path) -> list[str]:
    """Send a kept connection again and print the answer."""
    figures = Figures()
    with world(), _server(path.with_name("server.log")) as (port, _process):
        began = time.monotonic()
        answer = _exchange(port, path.read_bytes())
        print(answer[:1_000])
        return list(_wrong(answer, time.monotonic() - began, figures))


def drawn(random: Random) -> bytes:
    """Return the bytes of one connection. After them it is closed for writing."""
    good = random.choice(("GET", "POST", "PATCH", "PUT", "HEAD", "OPTIONS"))
    method = good if random.random() < 0.9 else random.choice(("get", "X" * 500, "", "TRACE"))
    target = random.choice(_TARGETS)
    version = random.choices(("1.1", "1.0", "0.9", "2.0", "9.9", "x"), (80, 8, 3, 3, 3, 3))[0]
    line = f"{method} {target} HTTP/{version}".encode("latin-1", "replace")
    if random.random() < 0.05:
        line = random.choice(
            (b"", b"\x16\x03\x01\x02\x00", b"PRI * HTTP/2.0", b"GET /", b"\x00" * 99)
        )
    headers = [b"Host: 127.0.0.1"] if random.random() < 0.9 else []
    for _ in range(random.choice((0, 1, 3))):
        name = random.choice(sorted(values.HEADERS))
        value = random.choice(values.HEADERS[name]).encode("latin-1", "replace")
        headers.append(name.encode() + random.choices(_COLONS, (80, 10, 2, 8))[0] + value)
    if random.random() < 0.15:
        headers.append(random.choice(_HEADERS))
    body = _body(random, headers)
    end = random.choices((b"\r\n", b"\n", b"\r"), (90, 7, 3))[0]
    whole = end.join((line, *headers, b"", b"")) + body
    if random.random() < 0.1:
        whole = whole[: random.randrange(len(whole) + 1)]
    return whole * random.choices((1, 2, 50), (90, 7, 3))[0]


_COLONS = (b": ", b":", b" : ", b":\t")

_TARGETS = (
    "/", "/api/v1/health/", "/api/v1/search/", "/api/v1/images/", "/api/v1/uploads/", "/search/",
    "/search/?q=" + "a" * 900_000, "/accounts/login/", "*", "http://evil.example/",
    "//evil.example/",
    "/%00", "/%ff", "/\xff", "/a b", "/..", "/../../etc/passwd", "/static/../../.env",
    "/static/%2e%2e/x",
    "/static/css/..%2f..%2f", "?", "", "/" * 5_000, "/api/v1/images/" + "%2f" * 3_000, "/#a",
    "/a\tb",
)  # fmt: skip

_HEADERS = (
    b"X: " + b"a" * 60_000, b"\r\n".join(b"X%d: y" % n for n in range(500)), b"X", b": x",
    b"X\x00: y",
    b"X: a\x00b", b" folded: x", b"X: a\r\n b", b"Host: other",
    b"Content-Length: 5\r\nContent-Length: 6",
    b"Connection: close, keep-alive", b"Connection: Upgrade\r\nUpgrade: h2c",
    b"Expect: 100-continue",
    b"X_Forwarded_For: 1.2.3.4", b"SCRIPT_NAME: /x", b"Proxy: http://evil.example",
)  # fmt: skip


def _body(random: Random, headers: list[bytes]) -> bytes:
    """Return a body with a head that describes it, rightly or wrongly."""
    headers.append(b"Content-Type: " + random.choice(values.TYPES)[:200].encode("latin-1"))
    data = random.choice(
        (b"", b"{}", b'{"q": "a"}', b"x" * 100_000, values.broken_json(random, b"{}"))
    )
    kind = random.random()
    if kind < 0.3:
        headers.append(b"Content-Length: %d" % len(data))
    elif kind < 0.5:
        lengths = (b"-1", b"1e3", b"+5", b"0x5", b"99999999999999999999", b"", b"5, 5")
        headers.append(b"Content-Length: " + random.choice(lengths))
    elif kind < 0.65:
        headers.append(b"Content-Length: %d" % random.choice((1, len(data) + 1_000, 10**12)))
    elif kind < 0.95:
        headers.append(random.choice(_CHUNKED))
        if random.random() < 0.2:
            headers.append(b"Content-Length: 3")
        size = random.choice((b"%x" % len(data), b"fffffffffffffffff", b"-1", b"", b"0x5", b"zz"))
        extension = random.choice((b"", b"", b";a=b", b";" + b"x" * 100_000))
        chunk = size + extension + b"\r\n" + data + random.choice((b"\r\n", b"\r\n", b"", b"\n"))
        trailer = random.choice((b"\r\n", b"", b"X: y\r\n\r\n", b"Content-Length: 9\r\n\r\n"))
        return chunk * random.choice((1, 1, 3)) + random.choice((b"0\r\n", b"")) + trailer
    return data


_CHUNKED = (
    b"Transfer-Encoding: chunked", b"Transfer-Encoding: Chunked, identity",
    b"Transfer-Encoding:chunked",
    b"Transfer-Encoding: x", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
    b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding: \x0bchunked",
)  # fmt: skip


@contextlib.contextmanager
def _server(log: Path) -> Iterator[tuple[int, int]]:
    """Return the port and the process of a web server as in production. `log` is its output."""
    port = free_port(0)
    log.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="clipsite-fuzz-") as folder, log.open("wb") as said:
        surroundings = worker_environment(Path(folder, "media"), STATIC_ROOT=f"{folder}/static")
        started: dict[str, Any] = {"cwd": ROOT, "env": surroundings, "stdout": said, "stderr": said}
        collect = [sys.executable, "manage.py", "collectstatic", "--noinput"]
        subprocess.run(collect, check=True, **started)
        command = [sys.executable, "-m", "gunicorn", "clipsite.wsgi", "-b", f"127.0.0.1:{port}"]
        process = subprocess.Popen([*command, "-k", "gthread", "--threads", "16"], **started)
        try:
            deadline = time.monotonic() + _START_SECONDS
            while not _alive(port):
                assert time.monotonic() < deadline, log.read_text()[-3_000:]
                time.sleep(0.2)
            yield port, process.pid
        finally:
            process.terminate()
            process.wait(30)


def _alive(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/api/v1/health/", timeout=MOST_SECONDS).ok
    except requests.RequestException:
        return False


def _exchange(port: int, sent: bytes) -> bytes:
    """Return the whole answer, or its beginning if the server keeps the connection."""
    received = b""
    with socket.create_connection(("127.0.0.1", port), MOST_SECONDS) as line:
        with contextlib.suppress(OSError):  # the server may have read enough
            line.sendall(sent)
            line.shutdown(socket.SHUT_WR)
        with contextlib.suppress(OSError):
            while piece := line.recv(1 << 16):
                received += piece
    return received


def _wrong(answer: bytes, seconds: float, figures: Figures) -> Iterator[str]:
    statuses = [int(status) for status in _STATUS.findall(answer)]
    figures.requests += 1
    figures.statuses.update(statuses or [0])  # 0: the connection was closed without an answer
    figures.seconds = max(figures.seconds, seconds)
    # The server refuses unknown protocols, methods and codings with these.
    if any(status >= 500 and status not in (501, 505) for status in statuses):
        yield f"answers {statuses}"
    if seconds > MOST_SECONDS:
        yield f"{seconds:.1f} s"
    if values.SCRIPT.encode() in answer:
        yield "a script came back as one"


def _resident(server: int) -> int:
    """Return the memory of the server and its workers."""
    workers = Path(f"/proc/{server}/task/{server}/children").read_text().split()
    return sum(memory("VmRSS", process) for process in (server, *workers))

"""Resumable uploads on a real web server: cut connections, kills, restarts, two at once."""

from __future__ import annotations

import os
import random
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from django.db import connection
from django.test import RequestFactory
from gunicorn.http.body import Body, LengthReader
from gunicorn.http.unreader import SocketUnreader
from knox.models import AuthToken

from clipsite.embedded.ports import free_port
from gallery.api import streams
from gallery.models import Image, User
from tests import pictures
from tests.conftest import ROOT, draw, wait_for, worker_environment
from tests.tus_tools import PART, TUS, metadata

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("rings")]


THREADS = 8


class Server:
    """gunicorn as `make demo` runs it, in a group of its own so that all of it can die
    at once."""

    def __init__(self, folder: Path) -> None:
        self.media = folder / "media"
        self.port = free_port(0)
        self.address = f"http://127.0.0.1:{self.port}"
        self.uploads = folder / "uploads"
        self._environment = worker_environment(
            self.media, DEBUG="1", UPLOAD_DIR=str(self.uploads), WEB_THREADS=str(THREADS)
        )
        self._log = folder / "web.log"
        self.start()

    def start(self) -> None:
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "gunicorn", "clipsite.wsgi"),
                    *("-b", f"127.0.0.1:{self.port}", "-k", "gthread", "--threads", str(THREADS)),
                ],
                cwd=ROOT,
                env=self._environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        wait_for(self._answers, 30, f"the web server answers, see {self._log}")

    def kill(self) -> None:
        """kill -9, master and worker."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)

    def close(self) -> None:
        if self.process.poll() is None:
            self.kill()

    def peak_memory(self) -> int:
        """Of the worker, in bytes."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        (worker,) = children.read_text().split()
        status = Path(f"/proc/{worker}/status").read_text()
        (line,) = [line for line in status.splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1]) * 1024

    def wait_for_file(self, url: str, size: int) -> None:
        """Until so many bytes are in the file, committed or not."""
        part = self.uploads / f"{url.rstrip('/').rpartition('/')[2]}.part"
        wait_for(
            lambda: part.exists() and part.stat().st_size >= size, what="the bytes are in the file"
        )

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self.address}/api/v1/health/", timeout=2).ok
        except (requests.ConnectionError, requests.Timeout):
            return False


class Sender:
    """A client that can break off wherever it likes."""

    def __init__(self, server: Server, user: User) -> None:
        _row, token = AuthToken.objects.create(user)
        self._server = server
        self.headers = {"Authorization": f"Token {token}", **TUS}

    def begin(self, length: int, **wishes: str) -> str:
        answer = requests.post(
            f"{self._server.address}/api/v1/uploads/",
            headers={
                **self.headers,
                "Upload-Length": str(length),
                "Upload-Metadata": metadata(**wishes),
            },
            timeout=20,
        )
        assert answer.status_code == 201, answer.text
        return answer.headers["Location"]

    def offset(self, url: str) -> int:
        answer = requests.head(url, headers=self.headers, timeout=20)
        assert answer.status_code == 200
        return int(answer.headers["Upload-Offset"])

    def wait_for_offset(self, url: str, offset: int) -> None:
        wait_for(lambda: self.offset(url) == offset, what=f"{offset} bytes are kept")

    def wait_until_accepted(self, url: str) -> None:
        """The request that brought the last byte may still be at it."""
        wait_for(lambda: self.state(url)["state"] == "accepted", what="it became a picture")

    def send(self, url: str, offset: int, data: Any) -> requests.Response:
        headers = {**self.headers, "Upload-Offset": str(offset), "Content-Type": PART}
        return requests.patch(url, data=data, headers=headers, timeout=60)

    def state(self, url: str) -> dict[str, Any]:
        return requests.get(url, headers=self.headers, timeout=20).json()

    def start_part(self, url: str, offset: int, announced: int, data: bytes) -> socket.socket:
        """A request that announces more than it sends, still open."""
        connection = socket.create_connection(("127.0.0.1", self._server.port))
        headers = {
            **self.headers,
            "Host": f"127.0.0.1:{self._server.port}",
            "Upload-Offset": str(offset),
            "Content-Type": PART,
            "Content-Length": str(announced),
        }
        lines = [f"PATCH {urlsplit(url).path} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + data)
        return connection


@pytest.fixture(scope="module")
def server(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("server"))
    yield server
    server.close()


@pytest.fixture
def sender(server: Server, alice: User) -> Sender:
    return Sender(server, alice)


def reset(connection: socket.socket) -> None:
    """As a crashed machine or a proxy ends it: no goodbye."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def test_what_arrived_before_a_cut_is_kept_to_the_byte(server: Server, sender: Sender) -> None:
    chance = random.Random(7)
    data = pictures.png(900, 700)
    url = sender.begin(len(data), filename="cut.png")
    offset = 0
    while offset < len(data) - 1:
        arrived = data[offset : offset + chance.randint(1, len(data) // 4)]
        connection = sender.start_part(url, offset, len(data) - offset, arrived[:-1])
        connection.sendall(arrived[-1:])
        connection.close()
        offset += len(arrived)
        sender.wait_for_offset(url, offset)
    if offset < len(data):
        assert sender.send(url, offset, data[offset:]).status_code == 204
    sender.wait_until_accepted(url)
    assert (server.media / Image.objects.get().file.name).read_bytes() == data


def test_a_reset_connection_loses_next_to_nothing(sender: Sender) -> None:
    data = draw(2000, 1500, quality=100)
    url = sender.begin(len(data))
    reset(sender.start_part(url, 0, len(data), data[:-5]))
    wait_for(lambda: sender.offset(url) > 0, what="the bytes that arrived are kept")
    offset = sender.offset(url)
    assert sender.send(url, offset, data[offset:]).status_code == 204
    sender.wait_until_accepted(url)


def test_two_parts_at_once_are_told_apart(server: Server, sender: Sender) -> None:
    """The second is answered 423 until the first one's connection is gone."""
    data = draw(3000, 2000, quality=100)
    url = sender.begin(len(data))
    arrived = data[:100_000]
    first = sender.start_part(url, 0, len(data), arrived)
    # Whichever of two writes is the one that holds the upload: here that is the first.
    server.wait_for_file(url, 65_536)
    assert sender.send(url, len(arrived), data[len(arrived) :]).status_code == 423
    refused = requests.delete(url, headers=sender.headers, timeout=20)
    assert refused.status_code == 423
    assert refused.json()["errors"][0]["code"] == "upload_busy"
    assert sender.offset(url) <= len(arrived), "asking is always possible"
    first.close()
    sender.wait_for_offset(url, len(arrived))
    assert sender.send(url, len(arrived), data[len(arrived) :]).status_code == 204
    sender.wait_until_accepted(url)


def test_many_at_once_write_the_file_once(server: Server, sender: Sender) -> None:
    data = pictures.png(800, 600)
    url = sender.begin(len(data))
    answers: list[int] = []

    def race() -> None:
        while (offset := sender.offset(url)) < len(data):
            answers.append(sender.send(url, offset, data[offset : offset + 50_000]).status_code)

    threads = [threading.Thread(target=race) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert set(answers) <= {204, 409, 423}
    sender.wait_until_accepted(url)
    assert (server.media / Image.objects.get().file.name).read_bytes() == data


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_a_server_that_ends_amid_a_part_goes_on(server: Server, sender: Sender, end: str) -> None:
    chance = random.Random(3)
    data = draw(3000, 2000, quality=100)
    url = sender.begin(len(data))
    for _ in range(2):
        offset = sender.offset(url)
        arrived = data[offset : offset + chance.randint(1, len(data) // 3)]
        connection = sender.start_part(url, offset, len(data) - offset, arrived)
        server.wait_for_file(url, offset + len(arrived) // 65_536 * 65_536)
        if end == "kill":
            server.kill()
        else:
            connection.close()
            server.stop()
        connection.close()
        server.start()
        if end == "stop":
            assert sender.offset(url) == offset + len(arrived)
        assert offset <= sender.offset(url) <= offset + len(arrived)
    offset = sender.offset(url)
    assert sender.send(url, offset, data[offset:]).status_code == 204
    sender.wait_until_accepted(url)
    assert (server.media / Image.objects.get().file.name).read_bytes() == data


def test_a_long_part_is_committed_on_the_way_and_never_in_memory(
    server: Server, sender: Sender
) -> None:
    size, step = 96 * 1024 * 1024, 8 * 1024 * 1024
    url = sender.begin(size + 1, kind="zip")
    block = os.urandom(1024 * 1024)
    assert sender.send(url, 0, block).status_code == 204
    before = server.peak_memory()
    connection = sender.start_part(url, len(block), size + 1 - len(block), b"")
    for _ in range(size // len(block) - 1):
        connection.sendall(block)
    wait_for(lambda: sender.offset(url) >= size - step, what="most is committed")
    assert server.peak_memory() - before < 16 * 1024 * 1024
    server.kill()
    connection.close()
    server.start()
    assert sender.offset(url) >= size - step


def test_slow_clients_hold_up_nobody_else(server: Server, sender: Sender) -> None:
    """Neither a transaction nor all threads, however many they are."""
    slow = []
    for _ in range(THREADS // 2):
        url = sender.begin(1_000_000)
        slow.append(sender.start_part(url, 0, 1_000_000, b"x" * 65_536))
        server.wait_for_file(url, 65_536)
    wait_for(lambda: open_transactions() == 0, 5, "no transaction waits for a client")
    url = sender.begin(10)
    refused = sender.send(url, 0, b"x")
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    assert sender.offset(url) == 0, "everything else goes on"
    for each in slow:
        each.close()
    wait_for(lambda: sender.send(url, sender.offset(url), b"x").status_code == 204)


def open_transactions() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND xact_start IS NOT NULL AND pid <> pg_backend_pid()"
        )
        (count,) = cursor.fetchone()
    return int(count)


def test_a_part_of_unknown_length_is_taken(sender: Sender) -> None:
    """HTTP's chunked encoding, as programs send that read from a pipe."""
    data = draw(400, 300)
    url = sender.begin(len(data))
    pieces = (data[begin : begin + 1000] for begin in range(0, len(data), 1000))
    assert sender.send(url, 0, pieces).status_code == 204
    sender.wait_until_accepted(url)


# --- The body, read as gunicorn gives it ------------------------------------------


@pytest.fixture
def wire() -> Iterator[tuple[socket.socket, socket.socket]]:
    listener = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(listener.getsockname())
    accepted, _address = listener.accept()
    yield client, accepted
    for each in (client, accepted, listener):
        each.close()


def body_of(connection: socket.socket, length: int) -> streams.RequestBody:
    stream = Body(LengthReader(SocketUnreader(connection), length))
    request = RequestFactory().generic("PATCH", "/", content_type=PART)
    request.META.update({"gunicorn.socket": connection, "CONTENT_LENGTH": str(length)})
    request._stream = stream
    return streams.RequestBody(request)


@pytest.mark.parametrize("end", ["silence", "close", "reset"])
def test_a_client_that_goes_leaves_what_it_sent(
    wire: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    """A laptop that is closed says nothing at all: then silence is the end."""
    monkeypatch.setattr(streams, "SILENCE_SECONDS", 0.2)
    client, accepted = wire
    body = body_of(accepted, 1_000_000)
    client.sendall(b"x" * 150_001)
    got = body.read(65_536) + body.read(65_536)
    if end == "close":
        client.close()
    elif end == "reset":
        reset(client)
    while piece := body.read(65_536):
        got += piece
    assert len(got) == 150_001
    assert body.read(65_536) == b""
    assert body.left == 1_000_000 - 150_001


def test_a_header_does_not_say_under_which_path_the_site_lies(server: Server) -> None:
    """gunicorn would believe a client of this machine, and fail for any other path."""
    answer = requests.get(
        f"{server.address}/api/v1/health/", headers={"SCRIPT_NAME": "/x"}, timeout=30
    )
    assert answer.status_code == 200

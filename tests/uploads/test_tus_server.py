"""Resumable uploads on a real web server: broken connections, kills, restarts, two at once."""

from __future__ import annotations

import os
import random
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from django.db import connection
from django.test import RequestFactory
from gunicorn.http.body import Body, LengthReader
from gunicorn.http.unreader import SocketUnreader

from gallery.accounts import tokens
from gallery.api import patience, streams
from gallery.models import Image, User
from tests import pictures
from tests.conftest import draw, wait_for
from tests.tus_tools import PART, TUS, metadata
from tests.web_server import THREADS, Server

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("dispatched")]


class Sender:
    """A client that can break off at any point."""

    def __init__(self, server: Server, user: User) -> None:
        _row, token = tokens.sign_in(user)
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
        """Wait: the request with the last byte may still be running."""
        wait_for(lambda: self.state(url)["state"] == "accepted", what="it became a picture")

    def send(self, url: str, offset: int, data: Any) -> requests.Response:
        headers = {**self.headers, "Upload-Offset": str(offset), "Content-Type": PART}
        return requests.patch(url, data=data, headers=headers, timeout=60)

    def state(self, url: str) -> dict[str, Any]:
        return requests.get(url, headers=self.headers, timeout=20).json()

    def start_part(self, url: str, offset: int, announced: int, data: bytes) -> socket.socket:
        """Open a request that announces more than it sends."""
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
    """Close the connection as a crashed machine or a proxy does, without the end of TCP."""
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
    """The second part gets 423 until the first one's connection is closed."""
    data = draw(3000, 2000, quality=100)
    url = sender.begin(len(data))
    arrived = data[:100_000]
    first = sender.start_part(url, 0, len(data), arrived)
    # Either of the two writes may hold the upload. Here it is the first one.
    server.wait_for_file(url, 61_440)
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
        server.wait_for_file(url, offset + len(arrived) // patience.PIECE * patience.PIECE)
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


def test_slow_clients_hold_up_nobody_else(server: Server, alice: User, bob: User) -> None:
    """They hold neither a transaction nor all threads, however many they are."""
    slow = []
    for user in (alice, bob):
        sender = Sender(server, user)
        for _ in range(THREADS // 4):
            url = sender.begin(1_000_000)
            slow.append(sender.start_part(url, 0, 1_000_000, b"x" * 65_536))
            server.wait_for_file(url, 61_440)
    wait_for(lambda: open_transactions() == 0, 5, "no transaction waits for a client")
    third = Sender(server, User.objects.create_user("carol"))
    url = third.begin(10)
    refused = third.send(url, 0, b"x")
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    assert third.offset(url) == 0, "everything else goes on"
    for each in slow:
        each.close()
    wait_for(lambda: third.send(url, third.offset(url), b"x").status_code == 204)


def test_one_account_that_drips_keeps_nobody_from_uploading(
    server: Server, alice: User, bob: User
) -> None:
    """Of its eight parts, the server waits for two."""
    mine, yours = Sender(server, alice), Sender(server, bob)
    urls = [mine.begin(1_000_000) for _ in range(8)]
    dripping = [mine.start_part(url, 0, 1_000_000, b"x") for url in urls]
    wait_for(lambda: mine.send(mine.begin(10), 0, b"x").status_code == 503, 10, "they have begun")

    data = draw(500, 400)
    before = time.monotonic()
    url = yours.begin(len(data))
    assert yours.send(url, 0, data).status_code == 204
    simple = requests.post(
        f"{server.address}/api/v1/images/",
        files={"file": draw(300, 200)},
        headers={"Authorization": yours.headers["Authorization"]},
        timeout=20,
    )
    assert simple.status_code == 201, simple.text
    assert time.monotonic() - before < 3
    yours.wait_until_accepted(url)
    for each in dripping:
        each.close()


def send_slowly(connection: socket.socket, data: bytes, step: int, pause: float) -> bytes:
    """Send until the server answers. Return the beginning of its answer, or nothing if it closes
    the connection."""
    connection.settimeout(pause)
    for begin in range(0, len(data), step):
        with suppress(OSError):  # the server has closed it
            connection.sendall(data[begin : begin + step])
        try:
            return connection.recv(1000)
        except TimeoutError:
            continue
        except ConnectionError:
            return b""
    connection.settimeout(30)
    return connection.recv(1000)


def test_what_drips_is_ended_and_what_is_slow_goes_on(
    server: Server, alice: User, bob: User
) -> None:
    """Both run at the same time, as the test must let the client's time pass."""
    mine, yours = Sender(server, alice), Sender(server, bob)
    seconds = int(patience.SECONDS) + 10
    dripped, slow = mine.begin(1_000_000), pictures.png(400, 300)
    slow += bytes(10_000 * seconds - len(slow))  # a phone with 10 kB a second
    url = yours.begin(len(slow))
    answers: dict[str, bytes] = {}

    def drip() -> None:
        connection = mine.start_part(dripped, 0, 1_000_000, b"x" * 50_000)
        answers["dripped"] = send_slowly(connection, b"x" * 2 * seconds, 1, 1.0)

    def crawl() -> None:
        connection = yours.start_part(url, 0, len(slow), b"")
        answers["slow"] = send_slowly(connection, slow, 5_000, 0.5)

    before = time.monotonic()
    threads = [threading.Thread(target=act) for act in (drip, crawl)]
    for thread in threads:
        thread.start()
    threads[0].join(patience.SECONDS + 15)
    assert not threads[0].is_alive(), "it was ended"
    assert time.monotonic() - before >= patience.SECONDS
    assert answers["dripped"][:12] in {b"HTTP/1.1 204", b""}
    kept = mine.offset(dripped)
    assert 50_000 <= kept < 50_000 + 2 * seconds, "what has arrived is kept"
    assert mine.send(dripped, kept, b"y" * 10).status_code == 204, "and it goes on from there"
    threads[1].join(3 * seconds)
    assert answers["slow"].startswith(b"HTTP/1.1 204")
    yours.wait_until_accepted(url)


def open_transactions() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND xact_start IS NOT NULL AND pid <> pg_backend_pid()"
        )
        (count,) = cursor.fetchone()
    return int(count)


def test_a_part_of_unknown_length_is_taken(sender: Sender) -> None:
    """Programs that read from a pipe use HTTP's chunked encoding."""
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
    """A closed laptop sends nothing any more. The silence ends its upload."""
    monkeypatch.setattr(patience, "SECONDS", 0.2)
    client, accepted = wire
    body = body_of(accepted, 1_000_000)
    client.sendall(b"x" * 150_001)
    got = b"".join(body.read(65_536) for _piece in range(6))
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

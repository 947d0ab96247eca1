"""A web server without a proxy in front, and slow clients."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from django.urls import reverse
from PIL import Image as PILImage

from clipsite.serving import arrival, worker
from clipsite.serving.arrival import Arrival
from clipsite.serving.client_socket import MOST_HELD, ClientSocket
from clipsite.serving.worker import PatientWorker
from gallery.accounts import tokens
from gallery.api.views.uploads import PART
from gallery.models import User
from tests import pictures
from tests.conftest import upload
from tests.web_server import THREADS, Server

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("dispatched")]

# In seconds. A thread that waits for one of these clients takes much longer. An answer takes
# hundredths of a second alone, and sometimes a second on a machine that runs other tests.
PATIENCE = 4.0
FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"


@pytest.fixture(scope="module")
def server(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("server"))
    yield server
    server.close()


def head(start: bytes, fields: bytes = b"", host: bytes = b"127.0.0.1") -> bytes:
    return start + b" HTTP/1.1\r\nHost: " + host + b"\r\n" + fields + b"\r\n"


# What a client sends at once, and what it sends after that, a byte at a time.
DRIPS: dict[str, tuple[bytes, bytes]] = {
    "nothing": (b"", b""),
    "a head": (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n", b"X-Long: " + b"x" * 1000),
    "a first line": (b"", b"GET /" + b"x" * 1000),
    "a form": (
        head(b"POST /accounts/login/", FORM + b"Content-Length: 100000\r\n"),
        b"login=" + b"a" * 1000,
    ),
    "a form after its first part": (
        head(b"POST /accounts/login/", FORM + b"Content-Length: 100000\r\n") + b"a" * 90_000,
        b"a" * 1000,
    ),
    "JSON": (
        head(
            b"POST /api/v1/auth/login/",
            b"Content-Type: application/json\r\nContent-Length: 4000\r\n",
        ),
        b'{"username": "' + b"a" * 1000,
    ),
    "a length with zeros": (
        head(b"POST /accounts/login/", FORM + b"Content-Length: " + b"0" * 40 + b"999\r\n"),
        b"a" * 1000,
    ),
    "a large picture": (
        head(
            b"POST /api/v1/images/",
            b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 90000000\r\n",
        ),
        b"--x\r\n" + b"a" * 1000,
    ),
    "far too much": (
        head(
            b"POST /api/v1/images/",
            b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 90000000000\r\n",
        ),
        b"--x\r\n" + b"a" * 1000,
    ),
    "chunks": (
        head(b"POST /accounts/login/", FORM + b"Transfer-Encoding: chunked\r\n"),
        b"1\r\na\r\n" * 200,
    ),
    "a body where none belongs": (head(b"GET /", b"Content-Length: 5000\r\n"), b"a" * 1000),
    "a part of an upload by nobody": (
        head(
            b"PATCH /api/v1/uploads/6d3f2c58-5e56-4b1c-8d0c-0a4f4d5d7a11/",
            b"Content-Type: " + PART.encode() + b"\r\nContent-Length: 5000000\r\n"
            b"Tus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n",
        ),
        b"a" * 1000,
    ),
    "a form to the uploads": (
        head(b"POST /api/v1/uploads/", FORM + b"Content-Length: 100000\r\n"),
        b"a" * 1000,
    ),
    "a part by a form": (
        head(b"PATCH /accounts/login/", FORM + b"Content-Length: 5000000\r\n"),
        b"a" * 1000,
    ),
    "no goodbye": (b"GET /api/v1/health/ HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n", b""),
    "a refused request": (b"GET / HTTP/9.9\r\n\r\n", b"x" * 1000),
}


@contextmanager
def dripping(server: Server, count: int, first: bytes, then: bytes) -> Iterator[None]:
    """Open that many connections. Each sends a byte of `then` every tenth of a second."""
    connections = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(count)]
    ended = threading.Event()

    def drip() -> None:
        place = 0
        while not ended.wait(0.1):
            for connection in connections:
                try:
                    connection.sendall(then[place : place + 1])
                except OSError:  # the server may close it
                    continue
            place += 1

    for connection in connections:
        connection.sendall(first)
    thread = threading.Thread(target=drip)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        for connection in connections:
            connection.close()


def answers_soon(server: Server, seconds: float = 1.0) -> None:
    """Check that for that long everybody else gets an answer within PATIENCE."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        before = time.monotonic()
        answer = requests.get(f"{server.address}/accounts/login/", timeout=10)
        assert answer.status_code == 200
        assert time.monotonic() - before < PATIENCE
        # A form, which the server reads completely before Django sees it.
        answer = requests.post(
            f"{server.address}/api/v1/auth/login/",
            json={"username": "nobody", "password": "x" * 100_000},
            timeout=10,
        )
        assert answer.status_code in (400, 401, 429)
        assert time.monotonic() - before < 2 * PATIENCE


@pytest.mark.parametrize("count", [20, 60])
@pytest.mark.parametrize("what", list(DRIPS))
def test_everybody_else_is_served(server: Server, what: str, count: int) -> None:
    assert count > 2 * THREADS
    with dripping(server, count, *DRIPS[what]):
        answers_soon(server)


@pytest.mark.parametrize("count", [20, 60])
def test_clients_that_do_not_read_hold_up_nobody(server: Server, alice: User, count: int) -> None:
    image = upload(alice, noise(1800), visibility="public")
    data = Path(image.file.path).read_bytes()
    target = server.media / image.file.name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)
    _row, token = tokens.sign_in(alice)
    request = head(
        f"GET /api/v1/images/{image.pk}/file/".encode(),
        f"Authorization: Token {token}\r\n".encode(),
    )
    with ExitStack() as stack:
        connections = [stack.enter_context(socket.socket()) for _ in range(count)]
        for connection in connections:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(("127.0.0.1", server.port))
            connection.sendall(request)
        for connection in connections:  # all have an answer that they do not read
            connection.settimeout(30)
            assert connection.recv(1, socket.MSG_PEEK)
        answers_soon(server)
        # They get it as soon as they read.
        got = read_answer(connections[-1])
        assert got.startswith(b"HTTP/1.1 200"), got[:200]
        assert got.partition(b"\r\n\r\n")[2] == data


@pytest.fixture
def pair() -> Iterator[tuple[ClientSocket, socket.socket]]:
    """The server's side with one place to wait, and a client that does not read yet."""
    accepted, client = socket.socketpair()
    served = ClientSocket(accepted, threading.BoundedSemaphore(1))
    with served, client:
        yield served, client


def received(client: socket.socket, size: int) -> bytes:
    client.settimeout(10)
    got = b""
    while len(got) < size:
        got += client.recv(1024 * 1024)
    return got


def test_what_is_in_memory_is_taken_at_once(pair: tuple[ClientSocket, socket.socket]) -> None:
    served, client = pair
    answer = os.urandom(8 * MOST_HELD)
    served.sendall(b"head")
    served.sendall(answer)
    assert not served.flush()
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(received(client, len(answer) + 4)))
    reader.start()
    settled(served.flush)
    reader.join()
    assert got == [b"head" + answer]


def send_all(to: ClientSocket, pieces: list[bytes]) -> None:
    for piece in pieces:
        to.sendall(piece)
        assert to._held <= MOST_HELD + len(piece)


def test_what_is_made_while_it_is_sent_waits_for_the_client(
    pair: tuple[ClientSocket, socket.socket],
) -> None:
    served, client = pair
    pieces = [os.urandom(100_000) for _ in range(60)]
    sender = threading.Thread(target=send_all, args=(served, pieces))
    sender.start()
    sender.join(0.5)
    assert sender.is_alive(), "it waits"
    # There is no second place to wait: the thread continues without this client.
    accepted, other = socket.socketpair()
    with ClientSocket(accepted, served._places) as crowded, other:
        with pytest.raises(ConnectionResetError):
            send_all(crowded, pieces)
        assert crowded.flush(), "nothing of it is kept"
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(received(client, 6_000_000)))
    reader.start()
    sender.join(10)
    settled(served.flush)
    reader.join(10)
    assert got == [b"".join(pieces)]


def noise(side: int) -> bytes:
    """Return a picture that no format makes small."""
    return pictures.saved(
        PILImage.frombytes("RGB", (side, side), os.urandom(side * side * 3)), "PNG"
    )


def read_answer(connection: socket.socket) -> bytes:
    """Read head and body, by the stated length."""
    connection.settimeout(20)
    got = b""
    while b"\r\n\r\n" not in got:
        piece = connection.recv(65536)
        if not piece:
            return got
        got += piece
    start, _end, body = got.partition(b"\r\n\r\n")
    lengths = [line for line in start.split(b"\r\n") if line.lower().startswith(b"content-length")]
    length = int(lengths[0].split(b":")[1]) if lengths else 0
    while len(body) < length:
        piece = connection.recv(65536)
        assert piece, "the answer is whole"
        body += piece
    return start + b"\r\n\r\n" + body


def test_more_connections_than_there_may_be(server: Server) -> None:
    """The connection that has waited longest is closed."""
    with dripping(server, 500, *DRIPS["nothing"]):
        answers_soon(server)


def test_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(arrival.time, "monotonic", lambda: now[0])
    slow = Arrival(10**9)
    slow.feed(b"POST / HTTP/1.1\r\n")
    now[0] += 10
    slow.feed(b"Content-Length: 8192000\r\n")
    assert slow.deadline == 1000 + arrival.HEAD_SECONDS
    slow.feed(b"\r\n")
    assert slow.deadline == 1010 + arrival.BODY_SECONDS, "what is announced buys no time"
    for _second in range(20):
        now[0] += 1
        slow.feed(b"x")
    assert slow.deadline == 1010 + arrival.BODY_SECONDS, "nor does a byte a second"
    slow.feed(b"x" * 8_000_000)
    assert slow.deadline == now[0] + arrival.BODY_SECONDS, "nor what came quickly"
    slow.feed(b"x" * 191_980)
    assert slow.is_whole
    slow.close()


def test_a_slow_phone_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """It sends 10 kB a second, in pieces with pauses."""
    now = [1000.0]
    monkeypatch.setattr(arrival.time, "monotonic", lambda: now[0])
    slow = Arrival(10**9)
    slow.feed(b"POST / HTTP/1.1\r\nContent-Length: 20000000\r\n\r\n")
    for _piece in range(200):
        now[0] += 10
        assert slow.deadline > now[0]
        slow.feed(b"x" * 100_000)
    assert slow.is_whole
    slow.close()


def test_pictures_that_drip_keep_nobody_from_sending_one(server: Server, alice: User) -> None:
    """Their stated sizes together exceed the room on the disk."""
    _row, token = tokens.sign_in(alice)
    with ExitStack() as stack:
        for count, length in [(12, 90_000_000), (20, 4_000_000), (40, 300_000)]:
            fields = b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: %d\r\n"
            first = head(b"POST /api/v1/images/", fields % length)
            stack.enter_context(dripping(server, count, first, b"--x\r\n" + b"a" * 1000))
        time.sleep(1)
        before = time.monotonic()
        answer = requests.post(
            f"{server.address}/api/v1/images/",
            files={"file": ("noise.png", noise(900))},
            headers={"Authorization": f"Token {token}"},
            timeout=30,
        )
        assert answer.status_code == 201, answer.text
        assert time.monotonic() - before < 2 * PATIENCE


def test_room_for_bodies_ends(
    monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path
) -> None:
    """Bodies are counted as they arrive. When a client leaves, its share is free again."""
    settings.MAX_UPLOAD_BYTES = 1_000_000
    monkeypatch.setattr(worker, "FORM_BYTES", 0)
    served = PatientWorker.__new__(PatientWorker)
    served._spooled = Counter()
    addresses = ["192.0.2.1"] * 7 + ["192.0.2.2"] * 8
    clients = [
        SimpleNamespace(arrival=Arrival(10**9), spooled=0, address=address) for address in addresses
    ]
    for client in clients:
        client.arrival.feed(b"POST / HTTP/1.1\r\nContent-Length: 2000000\r\n\r\n")
        served._count_spooled(client)
        assert client.spooled == 0
        for _ in range(2):
            client.arrival.feed(b"x" * 500_000)
            served._count_spooled(client)
    refused = [client.arrival.refused is not None for client in clients]
    assert refused == [False] * 6 + [True] + [False] * 5 + [True] * 3
    for client in clients:
        served._forget_body(client)
    assert not served._spooled


# --- And still a web server -------------------------------------------------------


@pytest.fixture
def wire(server: Server) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        yield connection


HEALTH = head(b"GET /api/v1/health/")


def test_a_connection_is_kept_for_more(wire: socket.socket) -> None:
    for _ in range(3):
        wire.sendall(HEALTH)
        assert read_answer(wire).startswith(b"HTTP/1.1 200")


def test_requests_one_behind_the_other(wire: socket.socket) -> None:
    body = json.dumps({"username": "nobody", "password": "wrong"}).encode()
    login = head(
        b"POST /api/v1/auth/login/",
        b"Content-Type: application/json\r\nContent-Length: %d\r\n" % len(body),
    )
    wire.sendall(HEALTH + login + body + HEALTH + HEALTH[:20])
    everything = b""
    wire.settimeout(10)
    while everything.count(b"HTTP/1.1 ") < 3:
        everything += wire.recv(65536)
    wire.sendall(HEALTH[20:])
    while everything.count(b"HTTP/1.1 ") < 4 or not everything.endswith(b"}"):
        everything += wire.recv(65536)
    statuses = [part[:3] for part in everything.split(b"HTTP/1.1 ")[1:]]
    assert statuses in ([b"200", refused, b"200", b"200"] for refused in (b"401", b"429"))


def test_a_byte_at_a_time_is_a_request_too(wire: socket.socket) -> None:
    wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in HEALTH:
        wire.sendall(bytes([byte]))
    assert read_answer(wire).startswith(b"HTTP/1.1 200")


def test_who_asks_whether_to_go_on_is_told(wire: socket.socket) -> None:
    fields = b"Content-Type: application/json\r\nContent-Length: 2\r\nExpect: 100-continue\r\n"
    wire.sendall(head(b"POST /api/v1/auth/login/", fields))
    wire.settimeout(10)
    assert wire.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
    wire.sendall(b"{}")
    assert read_answer(wire).startswith((b"HTTP/1.1 400", b"HTTP/1.1 429"))


def test_too_much_is_refused_in_the_words_of_the_api(server: Server, wire: socket.socket) -> None:
    wire.sendall(head(b"POST /api/v1/images/", b"Content-Length: 999999999999\r\n") + b"x" * 5000)
    answer = read_answer(wire)
    assert answer.startswith(b"HTTP/1.1 413")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["errors"][0]["code"] == "too_large"
    long = requests.get(f"{server.address}/?q={'x' * 300_000}", timeout=10)
    assert long.status_code == 431
    assert long.json()["errors"][0]["code"] == "head_too_long"


def test_a_large_picture_comes_whole(server: Server, alice: User) -> None:
    """It goes by way of the disk, and several come at once."""
    _row, token = tokens.sign_in(alice)
    data = noise(1500)
    assert len(data) > 10 * arrival.IN_MEMORY
    answers: list[int] = []

    def send(number: int) -> None:
        answer = requests.post(
            f"{server.address}/api/v1/images/",
            files={"file": (f"{number}.png", data)},
            headers={"Authorization": f"Token {token}"},
            timeout=60,
        )
        answers.append(answer.status_code)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(answers) == [200, 200, 200, 201]


def test_nothing_is_left_open(server: Server) -> None:
    """These are the descriptors of connections, bodies and files."""
    (worker,) = (
        Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
    )

    def open_files() -> int:
        return len(os.listdir(f"/proc/{worker}/fd"))

    for name in ("a large picture", "no goodbye", "far too much", "a head"):
        with dripping(server, 40, *DRIPS[name]):
            time.sleep(0.5)
    settled(lambda: open_files() < 60)


def settled(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_what_is_streamed_is_what_the_uploads_take() -> None:
    assert arrival.STREAMED_PATH.decode() == reverse("api:uploads")
    assert arrival.STREAMED_TYPE.decode() == PART

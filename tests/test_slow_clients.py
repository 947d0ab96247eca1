"""Bodies that come slowly, on a real web server: they take their sender's places, and
nobody else's, and those that drip are ended."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
import requests

from gallery.models import Image, ResumableUpload, User
from gallery.uploads import arrival, turns
from tests.conftest import draw, wait_for
from tests.web_server import THREADS, Sender, Server

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("rings")]

BOUNDARY = "x-boundary-x"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"
AT_ONCE = 2.0  # seconds in which an answer did not wait for anybody


@pytest.fixture(scope="module")
def server(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("slow"))
    yield server
    server.close()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(40) as pool:
        yield pool


def form(data: bytes, name: str = "file") -> bytes:
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="a.jpg"\r\n'
        "Content-Type: image/jpeg\r\n\r\n"
    )
    return head.encode() + data + f"\r\n--{BOUNDARY}--\r\n".encode()


class Connection:
    """A request whose body is sent as slowly as one likes."""

    def __init__(self, server: Server, path: str, length: int, **headers: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", server.port))
        given = {"Host": f"127.0.0.1:{server.port}", "Content-Length": str(length), **headers}
        method = headers.pop("method", "POST")
        given.pop("method", None)
        lines = [f"{method} {path} HTTP/1.1"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in given.items()]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())

    def drip(self, pieces: Iterator[bytes] | list[bytes], pause: float) -> str:
        """Send piece by piece until the server answers; the beginning of its answer."""
        self.socket.settimeout(pause)
        for piece in pieces:
            with suppress(OSError):  # it has been ended
                self.socket.sendall(piece)
            with suppress(TimeoutError):
                return self._answer()
        self.socket.settimeout(30)
        return self._answer()

    def _answer(self) -> str:
        try:
            answer = self.socket.recv(65_536)
        except ConnectionError:
            return "ended"
        return answer.decode(errors="replace") or "ended"

    def close(self) -> None:
        self.socket.close()


def status_of(answer: str) -> int:
    return int(answer.split(" ", 2)[1]) if answer.startswith("HTTP/") else 0


def token(sender: Sender) -> dict[str, str]:
    return {"Authorization": sender.headers["Authorization"]}


def timed(act: Callable[[], Any]) -> tuple[Any, float]:
    began = time.monotonic()
    result = act()
    return result, time.monotonic() - began


def open_parts(server: Server, sender: Sender, count: int) -> list[socket.socket]:
    """As many parts of one account, of which one byte has come."""
    urls = [sender.begin(1_000_000) for _ in range(count)]
    return [sender.start_part(url, 0, 1_000_000, b"x") for url in urls]


def places_are_taken(sender: Sender) -> bool:
    url = sender.begin(10)
    return sender.send(url, 0, b"").status_code == 503


# --- One account, and all others --------------------------------------------------------


def test_one_account_that_drips_eight_parts_keeps_nobody_from_uploading(
    server: Server, alice: User, bob: User
) -> None:
    mine, yours = Sender(server, alice), Sender(server, bob)
    dripping = open_parts(server, mine, 8)
    wait_for(lambda: places_are_taken(mine), 10, "two parts have their places")

    data = draw(500, 400)
    url = yours.begin(len(data))
    answer, seconds = timed(lambda: yours.send(url, 0, data))
    assert answer.status_code == 204
    assert seconds < AT_ONCE
    yours.wait_until_accepted(url)
    simple, seconds = timed(
        lambda: requests.post(
            f"{server.address}/api/v1/images/",
            files={"file": draw(300, 200)},
            headers=token(yours),
            timeout=20,
        )
    )
    assert simple.status_code == 201, simple.text
    assert seconds < AT_ONCE

    for each in dripping:
        each.close()


PATHS = ["/api/v1/images/", "/api/v1/search/pictures/", "/api/v1/search/", "/api/v1/classify/"]


@pytest.mark.parametrize("path", PATHS)
def test_forms_that_drip_take_the_places_of_their_sender_alone(
    server: Server, pool: ThreadPoolExecutor, alice: User, bob: User, path: str
) -> None:
    """More of them than there are threads. Of alice's two are waited for."""
    mine, yours = Sender(server, alice), Sender(server, bob)
    headers = {"Content-Type": MULTIPART, **token(mine)}
    connections = [Connection(server, path, 100_000, **headers) for _ in range(THREADS + 4)]
    begun = form(b"")[:100]
    answers = [pool.submit(each.drip, [begun, *[b"x"] * 7], 0.3) for each in connections]
    wait_for(lambda: sum(each.done() for each in answers) >= THREADS + 2, 15, "the others end")
    refused = [each.result() for each in answers if each.done()]
    assert {status_of(answer) for answer in refused} <= {503, 0}
    assert any("uploads_busy" in answer for answer in refused)

    answer, seconds = timed(
        lambda: requests.post(
            f"{server.address}/api/v1/images/",
            files={"file": draw(320, 200)},
            headers=token(yours),
            timeout=20,
        )
    )
    assert answer.status_code == 201, answer.text
    assert seconds < AT_ONCE
    for each in connections:
        each.close()


def test_visitors_are_counted_by_address(
    server: Server, pool: ThreadPoolExecutor, alice: User
) -> None:
    """Without an account, for bodies that are no files, and for those that nobody reads."""
    for path, kind, more in [
        ("/api/v1/search/pictures/", MULTIPART, {}),
        ("/api/v1/search/", "application/json", {}),
        ("/accounts/login/", "application/x-www-form-urlencoded", {}),
        ("/api/v1/nowhere/", "application/json", {}),
        ("/api/v1/search/", "application/json", {"Host": "elsewhere.example"}),
    ]:
        headers = {"Content-Type": kind, **more}
        connections = [Connection(server, path, 100_000, **headers) for _ in range(THREADS + 4)]
        answers = [pool.submit(each.drip, [b'{"a'] * 8, 0.3) for each in connections]
        wait_for(
            lambda answers=answers: sum(each.done() for each in answers) >= THREADS + 2,
            15,
            f"the others end: {path}",
        )
        me, seconds = timed(
            lambda: requests.get(
                f"{server.address}/api/v1/auth/me/", headers=token(Sender(server, alice))
            )
        )
        assert me.status_code == 200
        assert seconds < AT_ONCE
        for each in connections:
            each.close()


# --- Too slow, and slow -----------------------------------------------------------------


def test_what_drips_is_ended_and_what_is_slow_goes_on(
    server: Server, pool: ThreadPoolExecutor, alice: User, bob: User
) -> None:
    """All at once, since the time that a client gets has to pass."""
    mine, yours = Sender(server, alice), Sender(server, bob)
    longest = arrival.WINDOW_SECONDS + 10
    drops = [b"x"] * longest

    part = mine.begin(1_000_000)
    dripping_part: Future[str] = pool.submit(
        Connection(
            server,
            part.removeprefix(server.address),
            1_000_000,
            method="PATCH",
            **{
                "Content-Type": "application/offset+octet-stream",
                "Upload-Offset": "0",
                **mine.headers,
            },
        ).drip,
        [b"x" * 50_000, *drops],
        1.0,
    )
    dripping_form = pool.submit(
        Connection(
            server, "/api/v1/images/", 90_000, **{"Content-Type": MULTIPART, **token(mine)}
        ).drip,
        [form(b"")[:100], *drops],
        1.0,
    )
    # 10 kB a second, for longer than a client may drip.
    whole = draw(1200, 900, quality=95)
    data = whole + bytes(max(0, 10_000 * longest - len(whole)))
    slow = form(data)
    slow_form = pool.submit(
        Connection(
            server, "/api/v1/images/", len(slow), **{"Content-Type": MULTIPART, **token(yours)}
        ).drip,
        [slow[begin : begin + 5_000] for begin in range(0, len(slow), 5_000)],
        0.5,
    )
    url = yours.begin(len(data))
    slow_part = pool.submit(
        Connection(
            server,
            url.removeprefix(server.address),
            len(data),
            method="PATCH",
            **{
                "Content-Type": "application/offset+octet-stream",
                "Upload-Offset": "0",
                **yours.headers,
            },
        ).drip,
        [data[begin : begin + 5_000] for begin in range(0, len(data), 5_000)],
        0.5,
    )

    assert status_of(dripping_part.result(60)) in {204, 0}
    kept = mine.offset(part)
    assert kept >= 50_000, "what has arrived is kept"
    assert mine.send(part, kept, b"y" * 10).status_code == 204, "and the client goes on from there"

    refused = dripping_form.result(60)
    assert status_of(refused) == 408
    assert "too_slow" in refused

    assert status_of(slow_form.result(120)) in {200, 201}
    assert status_of(slow_part.result(120)) == 204
    yours.wait_until_accepted(url)
    assert Image.objects.filter(owner=bob).count() == 1, "the same picture twice"
    assert not Image.objects.filter(owner=alice).exists()
    assert ResumableUpload.objects.get(owner=alice).offset == kept + 10


# --- The places ----------------------------------------------------------------------------


def test_places_are_shared_and_given_back() -> None:
    places = turns.Places(3, 2)
    assert [places.take(who) for who in ("a", "a", "a", "b", "b", "c")] == [
        *(True, True, False, True, False, False)
    ]
    places.give_back("a")
    assert places.take("c")
    for who in ("a", "b", "c"):
        places.give_back(who)
    assert not places._taken, "nobody is remembered"


def test_an_account_and_an_address_are_different_senders() -> None:
    assert turns.account(1) != turns.address("1")

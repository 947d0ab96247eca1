"""Places at the encoder: their number, their order, and a full queue."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from gallery import requester
from gallery.encoders import client, places, reply
from gallery.encoders.places import Lane
from gallery.errors import Unavailable
from gallery.requester import Requester
from tests.factories import make_space

ALICE, BOB = Requester(account=1), Requester(account=2)


@pytest.fixture(autouse=True)
def _empty_lanes() -> Iterator[None]:
    yield
    server = reply.connection()
    for key in server.scan_iter("clipsite:places:*"):
        server.delete(key)


def soon(seconds: float = 5) -> float:
    return time.monotonic() + seconds


def test_a_lane_has_so_many_places_and_so_many_wait() -> None:
    lane = Lane("test", places=1, waiting=1)
    entered, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with places.place(lane, soon()):
            entered.set()
            leave.wait(5)

    def wait() -> float:
        with places.place(lane, soon()):
            return time.monotonic()

    with ThreadPoolExecutor(2) as pool:
        pool.submit(hold)
        assert entered.wait(5)
        waiting = pool.submit(wait)
        deadline = soon()
        while reply.connection().zcard("clipsite:places:test") < 2:
            assert time.monotonic() < deadline
        with pytest.raises(Unavailable) as refused, places.place(lane, soon()):
            pass
        assert (refused.value.code, refused.value.retry_after) == ("encoder_busy", 5)
        left = time.monotonic()
        leave.set()
        assert waiting.result(5) >= left
    assert reply.connection().zcard("clipsite:places:test") == 0


def test_a_request_that_waits_too_long_is_refused() -> None:
    lane = Lane("test", places=1, waiting=5)
    with places.place(lane, soon()):
        start = time.monotonic()
        with pytest.raises(Unavailable), places.place(lane, soon(0.2)):
            pass
        assert 0.2 <= time.monotonic() - start < 2
    with places.place(lane, soon(0.2)):
        pass


def test_who_came_first_is_first() -> None:
    lane, order = Lane("test", places=1, waiting=9), []

    def take(number: int) -> None:
        with places.place(lane, soon()):
            order.append(number)

    with ThreadPoolExecutor(4) as pool, places.place(lane, soon()):
        for number in range(4):
            pool.submit(take, number)
            deadline = soon()
            while reply.connection().zcard("clipsite:places:test") < number + 2:
                assert time.monotonic() < deadline
    assert order == [0, 1, 2, 3]


def test_a_process_that_dies_leaves_its_place() -> None:
    lane = Lane("test", places=1, waiting=0)
    # It holds a place as long as its task may take, and never releases it.
    assert places._enter(lane, "dead", time.monotonic() - 0.9)
    with pytest.raises(Unavailable):
        places._enter(lane, "next", soon())
    deadline = soon()
    while True:
        try:
            assert places._enter(lane, "next", soon())
            break
        except Unavailable:
            assert time.monotonic() < deadline


def test_few_tasks_of_one_asker_are_in_the_queue(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A requester with many texts gets at most four. Another requester goes ahead at once."""
    space, now, most = make_space(), [], []
    free = threading.Event()

    def ask(task: str, space: Any, texts: list[str], deadline: float) -> Any:
        now.append(texts)
        most.append(len(now))
        if texts != ["bob's"]:
            free.wait(5)
        now.remove(texts)
        return np.ones((len(texts), 3), dtype=np.float32)

    monkeypatch.setattr(client, "_ask", ask)

    def search(who: Requester, text: str) -> None:
        with requester.on_behalf_of(who):
            client.encode_texts(space, [text])

    with ThreadPoolExecutor(9) as pool:
        of_alice = [pool.submit(search, ALICE, f"{number}") for number in range(8)]
        deadline = soon()
        while len(now) < 4:
            assert time.monotonic() < deadline
        pool.submit(search, BOB, "bob's").result(5)
        assert len(now) == 4
        free.set()
        for one in of_alice:
            one.result(5)
    assert max(most) == 5


def test_many_texts_travel_one_small_task_after_the_other(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    space, sizes, now, together = make_space(), [], [], []

    def ask(task: str, space: Any, texts: list[str], deadline: float) -> Any:
        now.append(1)
        together.append(len(now))
        sizes.append(len(texts))
        time.sleep(0.01)
        now.pop()
        return np.ones((len(texts), 3), dtype=np.float32)

    monkeypatch.setattr(client, "_ask", ask)

    def classify(account: int) -> None:
        with requester.on_behalf_of(Requester(account=account)):
            client.encode_texts(space, [f"{account} {n}" for n in range(100)])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(classify, range(1, 5)))
    assert sum(sizes) == 400
    assert max(sizes) <= client.TEXTS_PER_TASK
    assert max(together) == 1

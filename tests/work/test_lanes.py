"""Endless work never takes the threads of other work."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from celery import current_app
from django.conf import settings
from django.db import connection

from clipsite.embedded.programs import _CHORES_THREADS
from gallery import sweep, task_names, tasks
from gallery.work import ledger
from gallery.work.lanes import alone, lane
from tests.conftest import wait_for


class Slow:
    """Work that lasts until it is told to end."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.may_end = threading.Semaphore(0)

    def __call__(self, *arguments: Any) -> None:
        self.calls.append(arguments)
        assert self.may_end.acquire(timeout=30)


def decorated(work: Any, threads: int = 1) -> Any:
    def ring(*arguments: Any) -> None:
        work(*arguments)

    return lane(threads)(ring)


def test_a_second_ring_returns_at_once_and_is_not_forgotten() -> None:
    slow = Slow()
    ring = decorated(slow)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(ring)
        wait_for(lambda: slow.calls)
        for _ in range(5):
            ring()
        assert len(slow.calls) == 1
        slow.may_end.release()
        wait_for(lambda: len(slow.calls) == 2, what="what was rung for meanwhile is done, once")
        slow.may_end.release()
        first.result(30)
    assert len(slow.calls) == 2
    slow.may_end.release()
    ring()
    assert len(slow.calls) == 3


def test_rings_with_something_to_say_are_all_heard() -> None:
    slow = Slow()
    ring = decorated(slow)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(ring, "a")
        wait_for(lambda: slow.calls)
        for word in ("b", "c", "b"):
            ring(word)
        for _ in range(3):
            slow.may_end.release()
        first.result(30)
    assert slow.calls == [("a",), ("b",), ("c",)]


def test_a_lane_of_several_threads_has_no_more_than_these() -> None:
    slow = Slow()
    ring = decorated(slow, threads=2)
    with ThreadPoolExecutor(2) as pool:
        working = [pool.submit(ring, number) for number in range(2)]
        wait_for(lambda: len(slow.calls) == 2)
        ring(2)
        assert len(slow.calls) == 2
        for _ in range(3):
            slow.may_end.release()
        for each in working:
            each.result(30)
    assert sorted(slow.calls) == [(0,), (1,), (2,)]


def test_work_that_fails_leaves_its_lane_free() -> None:
    calls: list[str] = []

    @lane()
    def ring(word: str) -> None:
        calls.append(word)
        raise ZeroDivisionError

    for word in ("a", "b"):
        with pytest.raises(ZeroDivisionError):
            ring(word)
    assert calls == ["a", "b"]


@pytest.mark.django_db(transaction=True)
def test_one_process_at_a_time() -> None:
    def is_alone() -> bool:
        try:
            with alone("counting") as here:
                return here
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool, alone("counting") as here:
        assert here
        assert not pool.submit(is_alone).result(10)
        with alone("something else") as other:
            assert other
    assert is_alone()


# --- Which worker does what -----------------------------------------------------------

MEDIA = {ledger.TASKS[ledger.Resource.PROCESSOR]}


def own_tasks() -> list[str]:
    return [name for name in current_app.tasks if name.startswith("gallery.tasks.")]


def test_tasks_are_sent_by_the_names_that_they_have() -> None:
    told = {name: task for name, task in vars(task_names).items() if name.isupper()}
    assert sorted(told.values()) == sorted(own_tasks())
    assert all(task == f"gallery.tasks.{name.lower()}" for name, task in told.items())


def test_previews_stand_behind_nothing_without_an_end() -> None:
    by_queue: dict[str, set[str]] = {}
    for name in own_tasks():
        by_queue.setdefault(sweep.queue_of(name), set()).add(name)
    assert by_queue.keys() == {"query", "index", "media", "chores"}
    assert by_queue["media"] == MEDIA
    for name in by_queue["chores"]:
        work = getattr(tasks, name.rpartition(".")[2]).run
        assert hasattr(work, "__wrapped__"), f"{name} has no lane of its own"


def test_all_lanes_together_leave_a_thread() -> None:
    chores = [name for name in own_tasks() if sweep.queue_of(name) == "chores"]
    assert len(chores) + tasks.import_run.AT_ONCE - 1 < _CHORES_THREADS
    script = (settings.BASE_DIR / "deploy" / "entrypoint.sh").read_text()
    assert f"-Q chores -P threads -c {_CHORES_THREADS} " in script


def test_what_the_clock_rings_for_exists() -> None:
    for entry in settings.CELERY_BEAT_SCHEDULE.values():
        assert entry["task"] in current_app.tasks


def test_what_is_swept_exists() -> None:
    assert set(sweep._WAITING) <= set(current_app.tasks)

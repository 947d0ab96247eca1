"""Long work has a lane for each kind: at most one or a few threads of a process. So no kind
takes the threads of the others, however many messages arrive for it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from django.db import connection

from gallery.work.drain import stopping

Work = Callable[..., None]


class _Lane:
    """Calls of one kind. If no thread is free, the call waits for one of the working threads.
    A call with the same arguments waits only once."""

    def __init__(self, work: Work, threads: int) -> None:
        self._work, self._threads = work, threads
        self._changing = threading.Lock()
        self._waiting: deque[tuple[Any, ...]] = deque()
        self._working = 0

    def call(self, *arguments: Any) -> None:
        with self._changing:
            if arguments not in self._waiting:
                self._waiting.append(arguments)
            if self._working >= self._threads:
                return
            self._working += 1
        while (waiting := self._next()) is not None:
            try:
                self._work(*waiting)
            except BaseException:
                with self._changing:
                    self._working -= 1
                raise

    def _next(self) -> tuple[Any, ...] | None:
        """The next waiting call; None if there is none. Then this thread no longer counts as
        working."""
        with self._changing:
            if self._waiting and not stopping.is_set():
                return self._waiting.popleft()
            self._working -= 1
            return None


def lane(threads: int = 1) -> Callable[[Work], Work]:
    """Decorate the work of a task: at most `threads` threads run it. Any other call is queued
    for them and returns at once."""

    def decorate(work: Work) -> Work:
        of_work = _Lane(work, threads)

        @wraps(work)
        def call(*arguments: Any) -> None:
            of_work.call(*arguments)

        return call

    return decorate


@contextmanager
def alone(kind: str) -> Iterator[bool]:
    """Whether no other process does work of this kind. If so, none begins until the end of the
    block. For work that has neither a ledger nor leases."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [f"work:{kind}"])
        (is_alone,) = cursor.fetchone()
    try:
        yield is_alone
    finally:
        if is_alone:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [f"work:{kind}"]
                )

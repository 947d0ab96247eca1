"""A time limit for slow clients while a thread reads their request body.

A read from the server's stream returns only when all requested bytes are there, so the reading
thread cannot check the time. One extra thread watches all connections that are being read, and
shuts down those that exceed the limit. The reader then sees the end of the stream.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

# A phone with a bad connection sends ten times as much. SECONDS also limits how long a client
# may send nothing: a closed laptop does not end its connection, and its upload must be unlocked
# when it comes back.
LEAST_BYTES_PER_SECOND = 1024
SECONDS = 20.0
# The most bytes to read at once: at the least speed they arrive within SECONDS.
PIECE = int(LEAST_BYTES_PER_SECOND * SECONDS)
_LOOK_EVERY_SECONDS = 0.2


class Wait:
    """One read. `is_over` tells whether the watcher has ended it."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.deadline = time.monotonic() + SECONDS
        self.is_over = False

    def end(self) -> None:
        self.is_over = True
        with suppress(OSError):  # the client has closed the connection already
            self._connection.shutdown(socket.SHUT_RD)


class _Watch:
    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waits: set[Wait] = set()
        self._thread: threading.Thread | None = None

    @contextmanager
    def over(self, connection: socket.socket) -> Iterator[Wait]:
        wait = Wait(connection)
        with self._changed:
            if self._thread is None:  # started on demand: threads do not survive a fork
                self._thread = threading.Thread(target=self._run, name="patience", daemon=True)
                self._thread.start()
            self._waits.add(wait)
            self._changed.notify()
        try:
            yield wait
        finally:
            with self._changed:
                self._waits.discard(wait)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waits:
                    self._changed.wait()
                now = time.monotonic()
                for wait in [wait for wait in self._waits if wait.deadline <= now]:
                    wait.end()
                    self._waits.discard(wait)
            time.sleep(_LOOK_EVERY_SECONDS)


over = _Watch().over

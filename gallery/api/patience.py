"""How slowly the bytes of a client may come while a thread waits for them.

A read from the server's stream returns only when it has all that it was asked for, so
the thread that reads cannot tell. One more thread watches all connections that are read
from, and shuts those whose time is over: for who reads, that is the end of the stream.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

# A phone with a bad connection sends ten times as much. Also how long a client may be
# silent: a laptop that was closed says no goodbye, and the upload that it was sending
# must be free when it comes back.
LEAST_BYTES_PER_SECOND = 1024
SECONDS = 20.0
# What may be asked for at once, so that it has to be here after SECONDS.
PIECE = int(LEAST_BYTES_PER_SECOND * SECONDS)
_LOOK_EVERY_SECONDS = 0.2


class Wait:
    """One read; `is_over` tells whether it was ended."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.deadline = time.monotonic() + SECONDS
        self.is_over = False

    def end(self) -> None:
        self.is_over = True
        with suppress(OSError):  # the client was quicker
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
            if self._thread is None:  # started here: a process that forks takes none along
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

"""The body of a request while it arrives: whatever it is, and whoever reads it.

A body keeps a thread of the web process waiting for its client. One that is not here
at once needs a place (`turns`), and one that comes too slowly is ended. Both are seen
to by a thread that watches all bodies of the process, for a read from the server's
stream returns only when it has all that it was asked for.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

from django.http import HttpRequest

from gallery.errors import Refusal, Unavailable
from gallery.uploads import turns
from gallery.uploads.errors import Crowded, TooSlow

# A phone with a bad connection sends ten times as much. Also how long a client may be
# silent: a laptop that was closed says no goodbye.
LEAST_BYTES_PER_SECOND = 1024
WINDOW_SECONDS = 20
_PIECE = LEAST_BYTES_PER_SECOND * WINDOW_SECONDS
# A body that is here within this time has kept nobody waiting.
PATIENCE_SECONDS = 0.5
# What no view has read is taken in for so long: a client that is still sending hears
# the answer only afterwards.
UNREAD_SECONDS = 2.0
_LOOK_EVERY_SECONDS = 0.1


class Ended(OSError):
    """The rest of the body is not waited for. An OSError, as for a broken connection:
    Django makes UnreadablePostError of it."""


class Arrival:
    """A stream in place of the server's own.

    `cause` is why it was ended, if it was. What had arrived by then is still returned;
    the next read raises Ended.
    """

    def __init__(
        self,
        stream: Any,
        connection: socket.socket,
        sender: Callable[[], str],
        length: int | None = None,
    ) -> None:
        """`length` is what the client announced; None if it sends in chunks."""
        self.cause: Refusal | Unavailable | None = None
        self._stream, self._connection, self._sender_of = stream, connection, sender
        self._left = length
        self._is_over = False
        self._lock = threading.Lock()
        self._sender: str | None = None
        self._has_place = False
        self._waited = 0.0
        self._since: float | None = None  # while a piece is waited for

    def read(self, size: int) -> bytes:
        """As files do: less than `size` only at the end, or where it was ended."""
        if self.cause is not None:
            raise Ended(str(self.cause))
        pieces = bytearray()
        while len(pieces) < size and self.cause is None:
            asked = min(_PIECE, size - len(pieces))
            piece = self._await(partial(self._stream.read, asked))
            pieces += piece
            if len(piece) < asked:
                break
        return bytes(pieces)

    def readline(self, size: int) -> bytes:
        if self.cause is not None:
            raise Ended(str(self.cause))
        return self._await(partial(self._stream.readline, size))

    def close(self) -> None:
        """Nobody reads on. What is left is taken in by the same rules, and no longer
        than UNREAD_SECONDS; the server would wait for it by its own."""
        until = time.monotonic() + UNREAD_SECONDS
        while not self._has_all() and self.cause is None and time.monotonic() < until:
            try:
                self._is_over = not self.read(_PIECE)
            except OSError:
                break
        with self._lock:
            if not self._has_all():
                self._shut()
            if self._has_place and self._sender is not None:
                turns.places.give_back(self._sender)
            self._has_place = False

    def look(self) -> None:
        """Called by the watching thread now and then while a piece is waited for."""
        with self._lock:
            if self._since is None or self.cause is not None:
                return
            waiting = time.monotonic() - self._since
            if waiting > WINDOW_SECONDS:
                self._end(TooSlow())
            elif self._waited + waiting > PATIENCE_SECONDS and not self._gets_place():
                self._end(Crowded())

    def _await(self, read: Callable[[], bytes]) -> bytes:
        if self._sender is None and not turns.has_place():
            self._sender = self._sender_of()
        began = self._since = time.monotonic()
        try:
            with _watch.over(self):
                piece = read()
            if self._left is not None:
                self._left -= len(piece)
            return piece
        finally:
            with self._lock:
                self._since = None
                self._waited += time.monotonic() - began

    def _gets_place(self) -> bool:
        """Whether there is one, or none is needed: a file that arrives in parts has
        taken its own."""
        if self._sender is not None and not self._has_place:
            self._has_place = turns.places.take(self._sender)
            return self._has_place
        return True

    def _end(self, cause: Refusal | Unavailable) -> None:
        """Wake the thread that reads: for it this is the end of the stream."""
        self.cause = cause
        self._shut()

    def _has_all(self) -> bool:
        return self._is_over or (self._left is not None and self._left <= 0)

    def _shut(self) -> None:
        with suppress(OSError):  # the other side was quicker
            self._connection.shutdown(socket.SHUT_RD)


def announced_length(request: HttpRequest) -> int | None:
    """The length that the client announced; None if it sends in chunks without one."""
    is_open_ended = request.META.get("wsgi.input_terminated") and (
        "chunked" in request.headers.get("Transfer-Encoding", "").lower()
    )
    if is_open_ended:
        return None
    length = request.META.get("CONTENT_LENGTH") or "0"
    return int(length) if length.isdecimal() else 0


class _Watch:
    """One thread for all bodies of the process, asleep while none is waited for."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._awaited: set[Arrival] = set()
        self._thread: threading.Thread | None = None

    @contextmanager
    def over(self, arrival: Arrival) -> Iterator[None]:
        with self._changed:
            if self._thread is None:  # started here: a process that forks takes none along
                self._thread = threading.Thread(target=self._run, name="arrivals", daemon=True)
                self._thread.start()
            self._awaited.add(arrival)
            self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                self._awaited.discard(arrival)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._awaited:
                    self._changed.wait()
                awaited = list(self._awaited)
            for arrival in awaited:
                arrival.look()
            time.sleep(_LOOK_EVERY_SECONDS)


_watch = _Watch()

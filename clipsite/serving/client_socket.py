"""The socket of a client that may read slowly."""

from __future__ import annotations

import errno
import os
import select
import socket
import threading
from collections import deque
from typing import Any

# The most bytes that are held for a slow client. An answer that is generated while it is sent
# (a ZIP file) waits at this limit; an answer that is in memory anyway is held as a whole.
MOST_HELD = 1024 * 1024
SILENCE_SECONDS = 60.0


class ClientSocket(socket.socket):
    """A socket that accepts all data at once, sends what the kernel takes, and keeps the rest
    for `flush`. One thread at a time may use it."""

    def __init__(self, accepted: socket.socket, places: threading.BoundedSemaphore) -> None:
        """`places` limits the threads that may wait until a client reads."""
        super().__init__(fileno=accepted.detach())
        self._outbox: deque[_Bytes | _File] = deque()
        self._held = 0
        self._places = places

    def sendall(self, data: Any, flags: int = 0) -> None:
        self._outbox.append(_Bytes(data))
        self._held += len(data)
        if not self.flush() and self._held > MOST_HELD and len(self._outbox) > 1:
            self._wait_for_room()

    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:
        size = os.fstat(file.fileno()).st_size - offset if count is None else count
        self._outbox.append(_File(os.dup(file.fileno()), offset, size))
        self.flush()
        return size

    def flush(self) -> bool:
        """Send what the client takes now. Return whether that was all. Raises OSError if the
        connection is gone."""
        patience = self.gettimeout()
        self.settimeout(0)
        try:
            while self._outbox:
                self._held -= self._outbox[0].send(self)
                if self._outbox[0].is_sent:
                    self._outbox.popleft().close()
        except BlockingIOError:
            return False
        finally:
            self.settimeout(patience)
        return True

    def close(self) -> None:
        self._discard()
        super().close()

    def _wait_for_room(self) -> None:
        if not self._places.acquire(blocking=False):
            raise self._given_up()
        try:
            writable = select.poll()
            writable.register(self.fileno(), select.POLLOUT)
            while self._held > MOST_HELD:
                if not writable.poll(SILENCE_SECONDS * 1000):
                    raise self._given_up()
                self.flush()
        finally:
            self._places.release()

    def _given_up(self) -> ConnectionResetError:
        self._discard()
        return ConnectionResetError(errno.ECONNRESET, "the client reads too slowly")

    def _discard(self) -> None:
        while self._outbox:
            self._outbox.popleft().close()
        self._held = 0


class _Bytes:
    def __init__(self, data: bytes) -> None:
        self._left = memoryview(data)

    @property
    def is_sent(self) -> bool:
        return not self._left

    def send(self, to: socket.socket) -> int:
        """Send a part. Return how many bytes of memory that frees."""
        sent = to.send(self._left) if self._left else 0
        self._left = self._left[sent:]
        return sent

    def close(self) -> None:
        self._left = memoryview(b"")


class _File:
    """A part of a file. It has its own descriptor, so the opener may close the original."""

    def __init__(self, descriptor: int, offset: int, left: int) -> None:
        self._descriptor, self._offset, self._left = descriptor, offset, left

    @property
    def is_sent(self) -> bool:
        return self._left <= 0

    def send(self, to: socket.socket) -> int:
        """Send a part. Return 0, as no file content is in memory."""
        sent = os.sendfile(to.fileno(), self._descriptor, self._offset, min(self._left, 2**20))
        if not sent:  # the file has become shorter than the announced length
            raise ConnectionResetError(errno.ECONNRESET, "the file was cut short")
        self._offset += sent
        self._left -= sent
        return 0

    def close(self) -> None:
        os.close(self._descriptor)

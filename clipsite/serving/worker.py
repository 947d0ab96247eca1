"""gunicorn's threaded worker, changed so that a request has a thread only while Clipsite works on
it.

gunicorn reads a request in the thread that serves it. Without a proxy, as many slow clients as
there are threads would block the site. Here the main thread, which never blocks, waits for all
clients: until a request has arrived (`arrival`), and until its answer is read (`client_socket`).
"""

from __future__ import annotations

import errno
import selectors
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any

from django.conf import settings
from gunicorn.http import get_parser
from gunicorn.http.body import ChunkedReader, LengthReader
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, TConn, ThreadWorker

from clipsite.serving.arrival import FULL, HEAD_SECONDS, IN_MEMORY, Arrival
from clipsite.serving.client_socket import SILENCE_SECONDS, ClientSocket

# The allowance for other fields of a form beside the picture, as in deploy/nginx.conf.
FORM_BYTES = 10 * 1024 * 1024
# The disk space for arriving bodies, as multiples of the largest body: for all of them, and for
# those of one address, which may be a proxy's.
MOST_SPOOLED, MOST_SPOOLED_EACH = 12, 6
# How long a connection stays open after a final answer: a client that still sends would lose
# the answer if we closed at once.
LINGER_SECONDS = 5.0
# The switch interval of Python's threads. With the default of 5 ms, requests that come together
# take turns and all finish late, and each one waits after a database query until all others had
# a turn (docs/decisions/0033).
TURN_SECONDS = 0.03
_PIECE = 64 * 1024
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Client(TConn):
    """A connection: its arriving request, and the deadline of its wait."""

    sock: ClientSocket
    arrival: Arrival
    deadline: float
    spooled = 0

    @property
    def address(self) -> str:
        """The address of the client; all clients of a Unix socket share one."""
        return str(self.client[0]) if self.client else ""


class PatientWorker(ThreadWorker):
    def init_process(self) -> None:
        # The clients that the main thread waits for, the longest waiting first.
        self._waiting: dict[Client, None] = {}
        self._spooled: Counter[str] = Counter()
        self._places = threading.BoundedSemaphore(max(1, self.cfg.threads // 4))
        sys.setswitchinterval(TURN_SECONDS)
        super().init_process()

    # --- Requests arrive ----------------------------------------------------------

    def accept(self, listener: socket.socket) -> None:
        if self.nr_conns >= self.worker_connections - 1:
            self._drop_longest_waiting()
        try:
            accepted, address = listener.accept()
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE):
                self._drop_longest_waiting()
            elif error.errno not in (errno.EAGAIN, errno.EWOULDBLOCK, errno.ECONNABORTED):
                raise
            return
        self.nr_conns += 1
        client = Client(
            self.cfg, ClientSocket(accepted, self._places), address, listener.getsockname()
        )
        self._await_request(client, HEAD_SECONDS)

    def _await_request(self, client: Client, seconds: float, came: bytes = b"") -> None:
        most = settings.MAX_UPLOAD_BYTES + FORM_BYTES
        client.arrival = Arrival(most)
        self._watch(client, selectors.EVENT_READ, self._on_arriving, seconds)
        if came:
            self._take(client, came)

    def _on_arriving(self, client: Client) -> None:
        if data := self._received(client):
            self._take(client, data)

    def _take(self, client: Client, data: bytes) -> None:
        arrival = client.arrival
        try:
            arrival.feed(data)
        except OSError:  # no room on the disk
            self.log.exception("A body cannot be kept")
            arrival.refused = FULL
        self._count_spooled(client)
        if arrival.refused:
            self._unwatch(client)
            if self._say(client, arrival.refused.answer()):
                self._send(client, partial(self._linger, client))
        elif arrival.is_ready:
            self._unwatch(client)
            client.parser = get_parser(self.cfg, arrival.source(client.sock), client.client)
            client.initialized = True
            self.enqueue_req(client)
        else:
            client.deadline = arrival.deadline
            if arrival.awaits_continue:
                arrival.awaits_continue = False
                self._say(client, _CONTINUE)

    def _count_spooled(self, client: Client) -> None:
        """Count the disk space of bodies that are not in memory, and refuse this one if it
        exceeds a limit."""
        received = client.arrival.received
        if received <= IN_MEMORY:
            return
        self._spooled[client.address] += received - client.spooled
        client.spooled = received
        largest = settings.MAX_UPLOAD_BYTES + FORM_BYTES
        is_full = self._spooled.total() > MOST_SPOOLED * largest
        if is_full or self._spooled[client.address] > MOST_SPOOLED_EACH * largest:
            client.arrival.refused = FULL

    def _say(self, client: Client, words: bytes) -> bool:
        """Send `words`. Return whether the client is still connected."""
        try:
            client.sock.sendall(words)
        except OSError:
            self._drop(client)
            return False
        return True

    # --- A thread serves them -----------------------------------------------------

    def handle_request(self, req: Any, conn: Client) -> bool:
        if conn.arrival.is_whole:
            req._expected_100_continue = False  # it has been answered
        return bool(super().handle_request(req, conn))

    def _keepalive_after(self, conn: Client, keepalive: bool) -> bool:
        """Close the connection after an incompletely read body. gunicorn would wait for the
        rest of it here."""
        return keepalive and (conn.arrival.is_whole or _is_read(conn.parser.mesg.body.reader))

    # --- Answers leave ------------------------------------------------------------

    def finish_request(self, conn: Client, fs: Future[bool]) -> None:
        arrival = conn.arrival
        rest = arrival.rest if arrival.is_whole else conn.parser.unreader.take_buffered()
        self._forget_body(conn)
        keeps = not fs.cancelled() and fs.exception() is None and fs.result()
        if keeps:
            patience = self.cfg.keepalive if self.alive else STOP_KEEPALIVE_LINGER
            self._send(conn, partial(self._await_request, conn, patience, rest))
        else:
            self._send(conn, partial(self._linger, conn))

    def _send(self, client: Client, then: Callable[[], None]) -> None:
        """Send the rest of the answer, and call `then` once the client has read it."""
        try:
            is_sent = client.sock.flush()
        except OSError:
            self._drop(client)
            return
        if is_sent:
            then()
        else:
            self._watch(
                client,
                selectors.EVENT_WRITE,
                lambda client: self._on_writable(client, then),
                SILENCE_SECONDS,
            )

    def _on_writable(self, client: Client, then: Callable[[], None]) -> None:
        self._unwatch(client)
        self._send(client, then)

    def _linger(self, client: Client) -> None:
        """Shut down our side, and wait a moment until the client closes. If we closed while the
        client still sends, the connection would be reset and our answer lost."""
        try:
            client.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._drop(client)
        else:
            self._watch(client, selectors.EVENT_READ, self._on_lingering, LINGER_SECONDS)

    def _on_lingering(self, client: Client) -> None:
        self._received(client)

    # --- Waiting ------------------------------------------------------------------

    def murder_pending(self) -> None:
        now = time.monotonic()
        for client in [client for client in self._waiting if client.deadline <= now]:
            self._drop(client)

    def _cap_keepalive(self, deadline: float) -> None:
        """Close idle connections early when the worker stops."""
        for client in self._waiting:
            if client.arrival.is_idle:
                client.deadline = min(client.deadline, deadline)

    def _received(self, client: Client) -> bytes:
        try:
            data = client.sock.recv(_PIECE)
        except BlockingIOError:
            return b""
        except OSError:
            data = b""
        if not data:
            self._drop(client)
        return data

    def _watch(
        self,
        client: Client,
        event: int,
        callback: Callable[[Client], None],
        seconds: float,
    ) -> None:
        def heed(_socket: object) -> None:
            # An earlier event of the same batch may have closed this connection.
            if client in self._waiting:
                callback(client)

        client.sock.setblocking(False)
        client.deadline = time.monotonic() + seconds
        self._waiting[client] = None
        self.poller.register(client.sock, event, heed)

    def _unwatch(self, client: Client) -> None:
        if client in self._waiting:
            del self._waiting[client]
            self.poller.unregister(client.sock)

    def _drop_longest_waiting(self) -> None:
        if self._waiting:
            self._drop(next(iter(self._waiting)))

    def _drop(self, client: Client) -> None:
        self._unwatch(client)
        self._forget_body(client)
        client.sock.close()
        self.nr_conns -= 1

    def _forget_body(self, client: Client) -> None:
        client.arrival.close()
        self._spooled[client.address] -= client.spooled
        self._spooled += Counter()  # drops addresses that use nothing
        client.spooled = 0


def _is_read(reader: Any) -> bool:
    """Whether a streamed body has been read to its end."""
    if isinstance(reader, ChunkedReader):
        return reader.parser is None
    return isinstance(reader, LengthReader) and reader.length <= 0

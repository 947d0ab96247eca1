"""A request while it arrives. This module only decides how long to wait. gunicorn's parser
parses and validates the same bytes."""

from __future__ import annotations

import socket
import tempfile
import time
from dataclasses import dataclass

# The limit of nginx (deploy/nginx.conf). Clipsite itself refuses long search texts.
MOST_HEAD = 4 * 64 * 1024
# Larger bodies are on the disk while they arrive.
IN_MEMORY = 256 * 1024
HEAD_SECONDS = 15.0
# Within each BODY_SECONDS the next _STEP bytes of a body, or the rest of it, must arrive. Faster
# parts earn no time: otherwise a client could send all but the last byte and hold its resources
# for hours.
BODY_SECONDS = 30.0
LEAST_RATE = 4 * 1024
_STEP = int(BODY_SECONDS) * LEAST_RATE

# Parts of resumable uploads are stored as they arrive; half of the threads may wait for them
# (gallery.uploads.slots).
STREAMED_PATH = b"/api/v1/uploads/"
STREAMED_TYPE = b"application/offset+octet-stream"
STREAMED_METHODS = (b"PATCH", b"POST")

# Python refuses to parse longer numbers.
_MOST_DIGITS = 4000
_END_OF_HEAD = b"\r\n\r\n"


@dataclass(frozen=True)
class Refused:
    """A refusal by the server itself, in the error format of the API, like those of the proxy."""

    status: str
    code: str
    detail: str
    headers: str = ""

    def answer(self) -> bytes:
        kind = "client_error" if self.status.startswith("4") else "server_error"
        body = (
            f'{{"type":"{kind}","errors":'
            f'[{{"code":"{self.code}","detail":"{self.detail}","attr":null}}]}}'
        )
        return (
            f"HTTP/1.1 {self.status}\r\nContent-Type: application/json\r\n{self.headers}"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}"
        ).encode()


HEAD_TOO_LONG = Refused(
    "431 Request Header Fields Too Large", "head_too_long", "This address or header is too long."
)
LENGTH_REQUIRED = Refused(
    "411 Length Required",
    "length_required",
    "Send the length of what you send (Content-Length): a body in chunks is not read here.",
)
TOO_LARGE = Refused("413 Content Too Large", "too_large", "This file is too large.")
FULL = Refused(
    "503 Service Unavailable",
    "unavailable",
    "Too many files arrive at once. Try again in a moment.",
    "Retry-After: 10\r\n",
)


class Arrival:
    """Collects the bytes of a request. It is ready when a thread can handle the request without
    waiting: with the whole body, or with only the head if the body is streamed or not read."""

    def __init__(self, most_body: int) -> None:
        self._most_body = most_body
        self._head = bytearray()
        self._body: tempfile.SpooledTemporaryFile[bytes] | None = None
        self._missing = 0
        self._is_streamed = False
        self._began: float | None = None
        self._step_began = 0.0
        self._step_missing = 0
        # Bytes of the body.
        self.received = 0
        self.is_ready = False
        # The request is complete: what follows on the connection is another request.
        self.is_whole = False
        self.awaits_continue = False
        self.refused: Refused | None = None
        # The bytes that came after a complete request.
        self.rest = b""

    @property
    def is_idle(self) -> bool:
        """Whether nothing of the request has arrived yet."""
        return self._began is None

    @property
    def deadline(self) -> float:
        """The monotonic time until which more bytes of a begun request must arrive."""
        if self._body is not None:
            return self._step_began + BODY_SECONDS
        return (self._began or time.monotonic()) + HEAD_SECONDS

    def feed(self, data: bytes) -> None:
        if self._began is None:
            self._began = time.monotonic()
        if self._body is not None:
            self._take_body(self._body, data)
            return
        searched = max(len(self._head) - len(_END_OF_HEAD) + 1, 0)
        self._head += data
        end = self._head.find(_END_OF_HEAD, searched)
        if end >= 0:
            self._read_head(end + len(_END_OF_HEAD))
        elif len(self._head) > MOST_HEAD:
            self.refused = HEAD_TOO_LONG

    def source(self, connection: socket.socket) -> Source:
        """The source from which gunicorn's parser reads the request. It includes the connection
        only for a streamed body, so that a thread cannot wait for any other."""
        if self._body is not None:
            self._body.seek(0)
        return Source(bytes(self._head), self._body, connection if self._is_streamed else None)

    def close(self) -> None:
        if self._body is not None:
            self._body.close()

    def _read_head(self, end: int) -> None:
        facts = _Facts.of(bytes(self._head[:end]))
        self._is_streamed = facts.is_streamed
        if end > MOST_HEAD:
            self.refused = HEAD_TOO_LONG
        elif facts.is_chunked and not facts.is_streamed:
            self.refused = LENGTH_REQUIRED
        elif facts.is_streamed or facts.length is None:
            self.is_ready = True
        elif facts.length > self._most_body:
            self.refused = TOO_LARGE
        else:
            came, self._head = bytes(self._head[end:]), self._head[:end]
            self._missing = facts.length
            self._body = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - see close()
            self._begin_step()
            self._take_body(self._body, came)
            self.awaits_continue = facts.expects_continue and not self.is_ready

    def _begin_step(self) -> None:
        self._step_began = time.monotonic()
        self._step_missing = min(_STEP, self._missing)

    def _take_body(self, body: tempfile.SpooledTemporaryFile[bytes], data: bytes) -> None:
        body.write(data[: self._missing])
        self.rest = data[self._missing :]
        taken = len(data) - len(self.rest)
        self.received += taken
        self._missing -= taken
        self._step_missing -= taken
        if self._step_missing <= 0:
            self._begin_step()
        self.is_ready = self.is_whole = self._missing == 0


class Source:
    """Presents the received bytes, and the connection if the body is streamed, to gunicorn like
    a socket."""

    def __init__(
        self,
        head: bytes,
        body: tempfile.SpooledTemporaryFile[bytes] | None,
        connection: socket.socket | None,
    ) -> None:
        self._head = memoryview(head)
        self._body = body
        self._connection = connection

    def recv(self, size: int) -> bytes:
        if self._head:
            piece, self._head = bytes(self._head[:size]), self._head[size:]
            return piece
        if self._body is not None:
            return self._body.read(size)
        return self._connection.recv(size) if self._connection is not None else b""


@dataclass(frozen=True)
class _Facts:
    """The fields of a head that decide how long to wait. `length` is None if it is unknown: for
    a chunked body, which only streamed uploads may have, and for heads that the parser
    refuses."""

    length: int | None
    is_chunked: bool
    is_streamed: bool
    expects_continue: bool

    @classmethod
    def of(cls, head: bytes) -> _Facts:
        first, *lines = head.split(b"\r\n")
        fields: dict[bytes, list[bytes]] = {}
        for line in lines:
            name, _colon, value = line.partition(b":")
            fields.setdefault(name.strip().lower(), []).append(value.strip().lower())
        method, _space, target = first.partition(b" ")
        lengths = fields.get(b"content-length", [b"0"])
        is_known = (
            b"transfer-encoding" not in fields
            and len(lengths) == 1
            and lengths[0].isdigit()
            and len(lengths[0]) < _MOST_DIGITS
        )
        return cls(
            length=int(lengths[0]) if is_known else None,
            is_chunked=(
                fields.get(b"transfer-encoding") == [b"chunked"] and b"content-length" not in fields
            ),
            is_streamed=(
                method in STREAMED_METHODS
                and target.startswith(STREAMED_PATH)
                and fields.get(b"content-type") == [STREAMED_TYPE]
            ),
            expects_continue=fields.get(b"expect") == [b"100-continue"],
        )

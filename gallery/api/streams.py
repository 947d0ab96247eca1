"""Read the body of a request while it arrives, before it is complete."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from rest_framework.parsers import BaseParser

from gallery.api import patience

if TYPE_CHECKING:
    from django.http import HttpRequest


class LeftUnread(BaseParser):
    """Leaves the body unread, for any content type. Otherwise the CSRF check would make REST
    framework parse it."""

    media_type = "*/*"

    def parse(self, *_args: Any, **_kwargs: Any) -> dict[str, Any]:
        return {}


class RequestBody:
    """Reads the request body in pieces, independent of its total size.

    If the client disconnects, goes silent or sends too slowly (see `patience`), the body ends
    there. The bytes that have arrived by then are still read.
    """

    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        self._is_broken = False
        # Only gunicorn sets it; other servers have their own limit for slow clients.
        self._socket: socket.socket | None = request.META.get("gunicorn.socket")
        self.left = _announced(request)

    def read(self, size: int) -> bytes:
        if self.left is not None:
            size = min(size, self.left)
        if size == 0 or self._is_broken:
            return b""
        try:
            piece = self._awaited(min(size, patience.PIECE))
        except OSError:
            self._is_broken = True
            piece = self._rest(size)
        if self.left is not None:
            self.left -= len(piece)
        return piece

    def _awaited(self, size: int) -> bytes:
        if self._socket is None:
            return bytes(self._stream().read(size))
        with patience.over(self._socket) as wait:
            piece = bytes(self._stream().read(size))
        self._is_broken = wait.is_over
        return piece

    def _stream(self) -> Any:
        """Django treats a body of unknown length as empty. For such a body this is the server's
        own stream, which ends where the body ends."""
        return self._request if self.left is not None else self._request.META["wsgi.input"]

    def _rest(self, size: int) -> bytes:
        """Read the bytes that the server received before the connection broke."""
        if self._socket is not None:
            with suppress(OSError):  # the client has closed it already
                self._socket.shutdown(socket.SHUT_RD)
        try:
            return bytes(self._stream().read(size))
        except OSError:
            return b""


def _announced(request: HttpRequest) -> int | None:
    """Return the announced length in bytes, or None for a chunked body without one."""
    is_open_ended = request.META.get("wsgi.input_terminated") and (
        "chunked" in request.headers.get("Transfer-Encoding", "").lower()
    )
    if is_open_ended:
        return None
    length = request.META.get("CONTENT_LENGTH") or "0"
    return int(length) if length.isdecimal() else 0

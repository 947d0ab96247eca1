"""The body of a request while it arrives, for what must not wait until it is whole."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from rest_framework.parsers import BaseParser

from gallery.api import patience

if TYPE_CHECKING:
    from django.http import HttpRequest


class LeftUnread(BaseParser):
    """Whatever the body is, REST framework keeps its hands off it: the check of the
    CSRF token would have it parsed otherwise."""

    media_type = "*/*"

    def parse(self, *_args: Any, **_kwargs: Any) -> dict[str, Any]:
        return {}


class RequestBody:
    """Reads in pieces, whatever the size of the whole.

    A client that breaks off, falls silent or drips (`patience`) looks like the end of the
    body; what had arrived by then is still read.
    """

    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        self._is_broken = False
        # gunicorn's; another server has its own limit for slow clients.
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
        """Django reads nothing from a body of unknown length, which the server ends."""
        return self._request if self.left is not None else self._request.META["wsgi.input"]

    def _rest(self, size: int) -> bytes:
        """What the server had received before the connection broke."""
        if self._socket is not None:
            with suppress(OSError):  # closed by the other side already
                self._socket.shutdown(socket.SHUT_RD)
        try:
            return bytes(self._stream().read(size))
        except OSError:
            return b""


def _announced(request: HttpRequest) -> int | None:
    """The length that the client announced; None if it sends in chunks without one."""
    is_open_ended = request.META.get("wsgi.input_terminated") and (
        "chunked" in request.headers.get("Transfer-Encoding", "").lower()
    )
    if is_open_ended:
        return None
    length = request.META.get("CONTENT_LENGTH") or "0"
    return int(length) if length.isdecimal() else 0

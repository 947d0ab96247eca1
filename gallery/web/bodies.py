"""Bodies of requests that come too slowly, or with too many others of the same sender."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from django.core.handlers.wsgi import LimitedStream, WSGIRequest
from django.http import HttpRequest, HttpResponse

from gallery.errors import Refusal, Unavailable
from gallery.sharing.visitor import address_of
from gallery.uploads import turns
from gallery.uploads.arrival import Arrival, announced_length

_ARRIVAL = "clipsite.arrival"


class BodyMiddleware:
    """Has every body read through an `Arrival`, whoever reads it: forms, files and JSON,
    pages and API. The first of all, for what nobody reads is seen to here as well.

    It needs gunicorn's socket. Other servers see to slow clients themselves.
    """

    def __init__(self, get_response: Callable[[WSGIRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: WSGIRequest) -> HttpResponse:
        connection: socket.socket | None = request.META.get("gunicorn.socket")
        if connection is None:
            return self._get_response(request)
        arrival = _arrival_of(request, connection)
        try:
            return self._get_response(request)
        finally:
            arrival.close()


def ended_by(request: HttpRequest) -> Refusal | Unavailable | None:
    """Why the body was not waited for to its end. What a view has kept of it (a part of an
    upload) is a success all the same."""
    arrival: Arrival | None = request.META.get(_ARRIVAL)
    return None if arrival is None else arrival.cause


def _arrival_of(request: WSGIRequest, connection: socket.socket) -> Arrival:
    """In place of the server's stream, where Django and the uploads find it."""
    stream = request.META["wsgi.input"]
    length = announced_length(request)
    arrival = Arrival(stream, connection, lambda: _sender_of(request), length)
    request.META["wsgi.input"] = request.META[_ARRIVAL] = arrival
    readable: Any = arrival
    limited: Any = LimitedStream(readable, length or 0)
    request._stream = limited
    return arrival


def _sender_of(request: WSGIRequest) -> str:
    """As it is when the body is first read: a token has been looked at by then."""
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated:
        return turns.account(user.pk)
    return turns.address(address_of(request))

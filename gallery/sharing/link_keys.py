"""What a request tells about a visitor of a link: the key."""

from __future__ import annotations

from typing import TypeVar

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from gallery.models import ShareLink

R = TypeVar("R", bound=HttpResponseBase)

HEADER = "X-Share-Key"
_SESSION = "share-keys"
# Of the links opened last: a session is read with each request.
_MOST_KEYS = 50


def key_of(request: HttpRequest, link: ShareLink) -> str:
    """From the header or, for the pages, from the session; else empty."""
    kept: str = request.session.get(_SESSION, {}).get(link.pk.hex, "")
    return request.headers.get(HEADER) or kept


def remember(request: HttpRequest, link: ShareLink, key: str) -> None:
    """Keep the key in the session of the pages."""
    keys = request.session.get(_SESSION, {})
    keys.pop(link.pk.hex, None)
    keys[link.pk.hex] = key
    request.session[_SESSION] = dict(list(keys.items())[-_MOST_KEYS:])


def guard(response: R) -> R:
    """Keeps the address of a link, which is all that it takes to open it, to who has
    it: search engines and the sites that its pages lead to learn nothing of it."""
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex, nofollow"
    if not response.has_header("Cache-Control"):
        # Pages; files ask each time whether they still may be shown.
        response["Cache-Control"] = "private, no-store"
    return response

"""The key that a visitor of a link sends with each request."""

from __future__ import annotations

from typing import TypeVar

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from gallery.models import ShareLink

R = TypeVar("R", bound=HttpResponseBase)

HEADER = "X-Share-Key"
_SESSION = "share-keys"
# The session keeps the keys of the links opened last: each request reads the whole session.
_MOST_KEYS = 50


def key_of(request: HttpRequest, link: ShareLink) -> str:
    """The key from the header or, for the pages, from the session; else ""."""
    kept: str = request.session.get(_SESSION, {}).get(link.pk.hex, "")
    return request.headers.get(HEADER) or kept


def remember(request: HttpRequest, link: ShareLink, key: str) -> None:
    """Keep the key in the session of the pages."""
    keys = request.session.get(_SESSION, {})
    keys.pop(link.pk.hex, None)
    keys[link.pk.hex] = key
    request.session[_SESSION] = dict(list(keys.items())[-_MOST_KEYS:])


def guard(response: R) -> R:
    """Add headers that keep the address of a link secret from search engines and linked sites.
    The address alone may open the link."""
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex, nofollow"
    if not response.has_header("Cache-Control"):
        # This is for pages. Files set their own header, and are checked each time.
        response["Cache-Control"] = "private, no-store"
    return response

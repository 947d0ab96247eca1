"""What holds for every request, page or API."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

from gallery import rate_limits, requester
from gallery.errors import Refusal, Unavailable
from gallery.library import delivery, thumbnails
from gallery.web import errors

_COMPRESSED = {"text/html", "application/json", "application/vnd.oai.openapi"}

# Of a thumbnail; the view refuses others, in words.
_WIDTH = re.compile("[1-9][0-9]{0,3}")


class PrivateAnswersMiddleware:
    """What is answered to a session or a token, or gives one, is kept by nobody: not by a
    cache on the way, and not by the browser, whose next user would read it. Pictures alone
    say themselves that the browser may keep them (`private`)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        if _is_personal(request, response) and not _is_static(request, response):
            said = response.get("Cache-Control", "").lower().replace(",", " ").split()
            if "private" not in said:
                response["Cache-Control"] = "private, no-store"
        return response


def _is_personal(request: HttpRequest, response: HttpResponse) -> bool:
    opened = settings.SESSION_COOKIE_NAME in request.COOKIES or "Authorization" in request.headers
    return opened or bool(response.cookies)


def _is_static(request: HttpRequest, response: HttpResponse) -> bool:
    """A style sheet or script, the same for everybody, as WhiteNoise sends it."""
    is_sent = response.status_code in (200, 206, 304)
    return is_sent and request.path.startswith(settings.STATIC_URL)


class ThumbnailMiddleware:
    """Sends thumbnails to whoever has an address that still opens by itself. All other
    requests go on, also for those that have run out or have not been made yet: the view then
    asks who wants them."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return _thumbnail(request) or self._get_response(request)


def _thumbnail(request: HttpRequest) -> HttpResponseBase | None:
    width = request.GET.get("w", str(delivery.DEFAULT_WIDTH))
    if request.method not in ("GET", "HEAD") or not _WIDTH.fullmatch(width):
        return None
    picture = thumbnails.opened_by(request.path_info)
    if picture is None:
        return None
    try:
        return delivery.stored_thumbnail_response(picture, int(width), request=request)
    except Unavailable:
        return None  # the view words it


class CompressionMiddleware(GZipMiddleware):
    """Compresses pages and JSON that are at hand as a whole, with some random bytes, so that
    their length does not tell what else is in them (BREACH). Pictures and archives are
    compressed, and style sheets and scripts lie compressed."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        kind = response.get("Content-Type", "").partition(";")[0]
        if response.streaming or kind not in _COMPRESSED:
            return response
        return super().process_response(request, response)


class RequesterMiddleware:
    """Says on whose behalf all that follows is done, and counts the pages that visitors
    ask for. The API's views count for themselves: they alone know what a token opens."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with requester.on_behalf_of(request):
            return self._get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        if request.path_info.startswith("/api/"):
            return None
        try:
            rate_limits.charge_visit()
        except rate_limits.TooMany as refusal:
            return errors.refused(request, refusal)
        return None


class RefusalMiddleware:
    """Words what a subject refused, or what is down, as a page (or, for htmx, as
    a part of one). The API has its own handler, inside its views.

    No error is kept by a browser: unless told, it may show one again without asking
    (RFC 9110, 15.1), and Chromium does so with 410 for good.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Nothing has such a name: the database cannot even be asked for it. Pages of links
        # say so themselves, as of all links that do not work.
        if "\x00" in request.path_info and not request.path_info.startswith("/s/"):
            raise Http404
        response = self._get_response(request)
        if response.status_code >= 400 and not response.has_header("Cache-Control"):
            response["Cache-Control"] = "no-store"
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, Refusal | Unavailable):
            return errors.refused(request, exception)
        return None

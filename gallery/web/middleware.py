"""Middleware for every request, to pages and to the API."""

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

# The widths of a thumbnail that are served here. The view refuses others with a message.
_WIDTH = re.compile("[1-9][0-9]{0,3}")


class PrivateAnswersMiddleware:
    """Forbids caching of responses to a session or a token, and of responses that set a cookie:
    in shared caches, and in the browser, where the next user could read them. Only pictures
    allow the browser to cache them (`private`)."""

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
    """Whether this is a static file from WhiteNoise, the same for everybody."""
    is_sent = response.status_code in (200, 206, 304)
    return is_sent and request.path.startswith(settings.STATIC_URL)


class ThumbnailMiddleware:
    """Serves thumbnails at signed addresses that are still valid. All other requests go to the
    view, which checks the viewer, also if the address has expired or the thumbnail is not made
    yet."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return _thumbnail(request) or self._get_response(request)


def _thumbnail(request: HttpRequest) -> HttpResponseBase | None:
    width = request.GET.get("w", str(delivery.DEFAULT_WIDTH))
    if request.method not in ("GET", "HEAD") or not _WIDTH.fullmatch(width):
        return None
    opened = thumbnails.opened_by(request.path_info)
    if opened is None:
        return None
    try:
        return delivery.stored_thumbnail_response(*opened, int(width), request=request)
    except Unavailable:
        return None  # the view answers with a message


class CompressionMiddleware(GZipMiddleware):
    """Compresses pages and JSON that are not streamed. Django adds some random bytes, so that the
    length does not reveal secrets in the content (BREACH). Pictures and archives are compressed
    already, and style sheets and scripts are stored compressed."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        kind = response.get("Content-Type", "").partition(";")[0]
        if response.streaming or kind not in _COMPRESSED:
            return response
        return super().process_response(request, response)


class RequesterMiddleware:
    """Sets the requester of the request, and counts page requests of visitors. API views count
    their own requests, because the account of a token is only known there."""

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
    """Shows Refusal and Unavailable exceptions as a page or, for htmx, as a message in the page.
    The API has its own handler inside its views.

    Forbids browsers to cache errors. Without this header they may (RFC 9110, 15.1), and Chromium
    caches a 410 forever.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # PostgreSQL refuses NUL characters, even in a query. The pages of links handle them
        # like any other link that does not work.
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

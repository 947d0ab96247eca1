"""What holds for every request, page or API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse

from gallery import asker, limits
from gallery.errors import Refusal, Unavailable
from gallery.web import errors


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


class AskerMiddleware:
    """Says on whose behalf all that follows is done, and counts the pages that visitors
    ask for. The API's views count for themselves: they alone know what a token opens."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with asker.asking(request):
            return self._get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        if request.path_info.startswith("/api/"):
            return None
        try:
            limits.charge_visit()
        except limits.TooMany as refusal:
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

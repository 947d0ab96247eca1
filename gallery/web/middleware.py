from __future__ import annotations

from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse

from gallery.errors import Refusal, Unavailable
from gallery.web import errors


class RefusalMiddleware:
    """Words what a subject refused, or what is down, as a page (or, for htmx, as
    a part of one). The API has its own handler, inside its views.

    No error is kept by a browser: unless told, it may show one again without asking
    (RFC 9110, 15.1), and Chromium does so with 410 for good.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\x00" in request.path_info:
            # Nothing has such a name: the database cannot even be asked for it.
            raise Http404
        response = self._get_response(request)
        if response.status_code >= 400 and not response.has_header("Cache-Control"):
            response["Cache-Control"] = "no-store"
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, Refusal | Unavailable):
            return errors.refused(request, exception)
        return None

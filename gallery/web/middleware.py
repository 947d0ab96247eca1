from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from gallery.errors import Refusal, Unavailable
from gallery.web import errors


class RefusalMiddleware:
    """Words what a subject refused, or what is down, as a page (or, for htmx, as
    a part of one). The API has its own handler, inside its views."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, Refusal | Unavailable):
            return errors.refused(request, exception)
        return None

"""Error pages, and error messages inside a page for htmx.

API clients get the same sentences as JSON.
"""

from __future__ import annotations

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from gallery.errors import Refusal, Sentence, Unavailable
from gallery.errors_json import error_response
from gallery.web.access import is_fragment

_DATABASE_RETRY_SECONDS = 5


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(
        request,
        400,
        "bad_request",
        _("This request cannot be read"),
        _("Go back, reload the page and try again."),
    )


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(
        request,
        403,
        "permission_denied",
        _("This is not for your account"),
        _("Sign in with an account that may do this."),
    )


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(
        request,
        404,
        "not_found",
        _("Nothing is here"),
        _("The address is wrong, the picture is gone, or its owner keeps it private."),
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer a server error without the database and the session, because these may be broken."""
    if isinstance(sys.exception(), OperationalError | InterfaceError):
        return _bare(
            request,
            503,
            "database_down",
            _("One moment, please"),
            _("The database does not answer. Your pictures are safe; try again in a few seconds."),
            _DATABASE_RETRY_SECONDS,
        )
    return _bare(
        request,
        500,
        "server_error",
        _("Something broke on our side"),
        _("It has been written to the server's log. Try again, or go back to the pictures."),
    )


def refused(request: HttpRequest, cause: Refusal | Unavailable) -> HttpResponse:
    """Answer an exception that no view handles on its own page."""
    title = _TITLES.get(cause.status, _TITLES[400])
    return _answer(request, cause.status, cause.code, title, cause.message, cause.retry_after)


_TITLES = {
    400: gettext_lazy("This does not work"),
    410: gettext_lazy("This is no longer known"),
    413: gettext_lazy("This is too large"),
    429: gettext_lazy("A little slower, please"),
    503: gettext_lazy("Not available right now"),
}


def _answer(
    request: HttpRequest,
    status: int,
    code: str,
    title: Sentence,
    message: Sentence,
    retry_after: int | None = None,
) -> HttpResponse:
    if _is_api(request):
        return error_response(status, code, message, retry_after)
    if is_fragment(request):
        return _fragment(request, status, message, retry_after)
    context = _context(request, status, title, message)
    response = render(request, "errors/page.html", context, status=status)
    return _with_retry(response, retry_after)


def _bare(
    request: HttpRequest,
    status: int,
    code: str,
    title: Sentence,
    message: Sentence,
    retry_after: int | None = None,
) -> HttpResponse:
    """Like `_answer`, but with templates that need no context processor."""
    if _is_api(request):
        return error_response(status, code, message, retry_after)
    if is_fragment(request):
        return _fragment(request, status, message, retry_after)
    page = render_to_string("bare.html", _context(request, status, title, message))
    return _with_retry(HttpResponse(page, status=status), retry_after)


def _fragment(
    request: HttpRequest, status: int, message: Sentence, retry_after: int | None
) -> HttpResponse:
    """Return an alert for the element that sent the request. A part that loads by itself gets a
    button to try again; a form has its own button."""
    retry = request.get_full_path() if request.method == "GET" and status >= 500 else None
    alert = render_to_string("parts/alert.html", {"message": message, "retry": retry})
    response = HttpResponse(alert, status=status, headers={"HX-Reswap": "innerHTML"})
    return _with_retry(response, retry_after)


def _context(
    request: HttpRequest, status: int, title: Sentence, message: Sentence
) -> dict[str, object]:
    again = request.get_full_path() if request.method == "GET" and status >= 500 else None
    return {"status": status, "title": title, "message": message, "again": again}


def _with_retry(response: HttpResponse, retry_after: int | None) -> HttpResponse:
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response


def _is_api(request: HttpRequest) -> bool:
    return request.path_info.startswith("/api/")

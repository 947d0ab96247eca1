"""The language of an account. It is chosen once and applies in every browser."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import translation
from django.views import i18n

from gallery.accounts import profile
from gallery.models import User


class AccountLanguageMiddleware:
    """Activates the account's language for pages of a signed-in user. It takes precedence over the
    cookie and the browser's language. The API uses only the language of the request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.SESSION_COOKIE_NAME in request.COOKIES and not _is_api(request):
            language = getattr(request.user, "language", "")
            if language in dict(settings.LANGUAGES):
                translation.activate(language)
                request.LANGUAGE_CODE = language
        return self._get_response(request)


def set_language(request: HttpRequest) -> HttpResponseBase:
    """Set the language cookie with Django's view, and store the choice in the account."""
    language = request.POST.get("language", "")
    if isinstance(request.user, User) and language in dict(settings.LANGUAGES):
        profile.update(request.user, language=language)
    return i18n.set_language(request)


def _is_api(request: HttpRequest) -> bool:
    return request.path_info.startswith("/api/")

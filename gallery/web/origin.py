"""The origin of a request, for the trail of security events (gallery.trail)."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from gallery import trail
from gallery.accounts import sessions
from gallery.models import SecurityEvent, User
from gallery.requester import address_of


class OriginMiddleware:
    """Sets the origin. It must come before all middleware that signs in or refuses, because
    these write to the trail."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        origin = trail.Origin(
            source=_source_of(request),
            address=address_of(request),
            agent=sessions.describe(request.headers.get("User-Agent", "")),
            actor=lambda: _signed_in(request),
        )
        with trail.coming_from(origin):
            return self._get_response(request)


def _source_of(request: HttpRequest) -> str:
    if request.path_info.startswith("/api/"):
        return SecurityEvent.Source.API
    if request.path_info.startswith("/admin/"):
        return SecurityEvent.Source.ADMIN
    return SecurityEvent.Source.PAGE


def _signed_in(request: HttpRequest) -> User | None:
    """Return the signed-in user: by session, or by token once the API has authenticated it."""
    user = getattr(request, "user", None)
    return user if isinstance(user, User) else None

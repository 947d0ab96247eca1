"""The home page: the timeline or, for visitors and in an empty gallery, a large search and what
there is to see; and the list of the latest uploads."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from gallery.indexing import selectors
from gallery.indexing.spaces import active_space
from gallery.search.examples import examples
from gallery.web.lists import listing, scopes, timeline
from gallery.web.lists.listing import PictureList
from gallery.web.model import NOTE_COOKIE, shows_starter_note

_YEAR = 365 * 24 * 60 * 60


@require_safe
@vary_on_headers("HX-Request")
def home(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated and selectors.visible_to(request.user).exists():
        return timeline.show(
            request, {"is_home": True, "starter": shows_starter_note(request, active_space())}
        )
    return _list(request, "gallery/home.html", {"examples": examples(request.user)})


@require_safe
@vary_on_headers("HX-Request")
def recent(request: HttpRequest) -> HttpResponse:
    """The pictures in the order of their upload. This list needs no scripts."""
    return _list(request, "gallery/recent.html", {})


@require_POST
def dismiss_note(request: HttpRequest) -> HttpResponse:
    """Keep the note about the starter model away from this browser."""
    response = redirect("home")
    response.set_cookie(NOTE_COOKIE, "read", max_age=_YEAR, httponly=True, samesite="Lax")
    return response


def _list(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    scope = scopes.scope_of(request)
    pictures = scopes.pictures_of(request, scope)
    shown = PictureList("home", pictures, scopes.filters_of(scope))
    return listing.show(
        request, template, shown, {"scope": scope, "scopes": scopes.SCOPES, **context}
    )

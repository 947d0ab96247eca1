"""The home page: the search bar, and the pictures that the viewer may see."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from gallery.indexing.spaces import active_space
from gallery.search.examples import examples
from gallery.web.lists import listing, scopes
from gallery.web.lists.listing import PictureList
from gallery.web.model import is_starter


@require_safe
@vary_on_headers("HX-Request")
def home(request: HttpRequest) -> HttpResponse:
    scope = scopes.scope_of(request)
    pictures = scopes.pictures_of(request, scope)
    shown = PictureList("home", pictures, scopes.filters_of(scope))
    context = {
        "scope": scope,
        "scopes": scopes.SCOPES,
        "starter": is_starter(active_space()),
        "examples": examples(request.user),
    }
    return listing.show(request, "gallery/home.html", shown, context)

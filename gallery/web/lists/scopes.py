"""The scopes of the home page and the timeline: all pictures, the viewer's own, public ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from gallery.indexing import selectors
from gallery.models import Image
from gallery.web.lists.filtered import Filtered

if TYPE_CHECKING:
    from gallery.models.image import ImageQuerySet

SCOPES = [
    ("all", gettext_lazy("All")),
    ("mine", gettext_lazy("Mine")),
    ("public", gettext_lazy("Public")),
]
_NARROWED_TO: dict[str, dict[str, Any]] = {
    "all": {},
    "mine": {"owner": "me"},
    "public": {"visibility": Image.Visibility.PUBLIC.value},
}


def scope_of(request: HttpRequest) -> str:
    """Return the scope of the address. Visitors always have "all"."""
    wanted = request.GET.get("scope", "all")
    return wanted if request.user.is_authenticated and wanted in dict(SCOPES) else "all"


def filters_of(scope: str) -> dict[str, Any]:
    """Return the filters of a scope, named as in the API. No scope shows archived pictures."""
    return {**_NARROWED_TO[scope], "archived": False}


def filtered(request: HttpRequest) -> Filtered:
    """Return the pictures of the address: those of its scope that pass its filters."""
    scope = scope_of(request)
    return Filtered(request, pictures_of(request, scope), filters_of(scope))


def pictures_of(request: HttpRequest, scope: str) -> ImageQuerySet:
    """Return all pictures that `scope` can show. Its filters are applied later. For the viewer's
    own pictures the query by owner is simpler than the visibility rule."""
    if scope == "mine":
        return Image.objects.owned_by(request.user)
    return selectors.visible_to(request.user)

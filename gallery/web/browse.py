"""The home page: the search bar, and the pictures that one may see."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from gallery.indexing.ledger import with_state
from gallery.indexing.spaces import active_space
from gallery.library import keyset
from gallery.models import Image
from gallery.models.image import ImageQuerySet
from gallery.web.access import is_fragment
from gallery.web.model import is_starter
from gallery.web.tiles import tiles_of

PAGE = 60

SCOPES = [
    ("all", gettext_lazy("All")),
    ("mine", gettext_lazy("Mine")),
    ("public", gettext_lazy("Public")),
]


@require_safe
@vary_on_headers("HX-Request")
def home(request: HttpRequest) -> HttpResponse:
    scope = _scope(request)
    visible = with_state(_pictures(request, scope).select_related("owner").defer("exif"))
    images, after = keyset.page(visible, request.GET.get("after"), PAGE)
    more = f"{reverse('home')}?{urlencode({'scope': scope, 'after': after})}" if after else None
    context = {"tiles": tiles_of(images, request.user), "more": more}
    if is_fragment(request):
        return render(request, "parts/tiles.html", context)
    return render(
        request,
        "gallery/home.html",
        {
            **context,
            "scope": scope,
            "scopes": SCOPES,
            "starter": is_starter(active_space()),
            "examples": examples(),
        },
    )


def examples() -> list[str]:
    """Queries to begin with; one is in Chinese for everybody, to show that it works."""
    return [_("a cup of coffee"), _("a cat"), _("people playing sports"), "日落"]


def _scope(request: HttpRequest) -> str:
    wanted = request.GET.get("scope", "all")
    return wanted if request.user.is_authenticated and wanted in dict(SCOPES) else "all"


def _pictures(request: HttpRequest, scope: str) -> ImageQuerySet:
    if scope == "mine":
        return Image.objects.owned_by(request.user)
    visible = Image.objects.visible_to(request.user)
    return visible.filter(visibility=Image.Visibility.PUBLIC) if scope == "public" else visible

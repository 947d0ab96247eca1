"""The lists of favourites, of archived pictures and of a tag's pictures."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from gallery.models import Image, Tag
from gallery.web.access import signed_in
from gallery.web.lists import listing
from gallery.web.lists.listing import PictureList


@require_safe
@vary_on_headers("HX-Request")
@signed_in
def favourites(request: HttpRequest) -> HttpResponse:
    visible = Image.objects.visible_to(request.user)
    shown = PictureList("favourites", visible, {"favourite": True})
    return listing.show(request, "gallery/favourites.html", shown, {})


@require_safe
@vary_on_headers("HX-Request")
@signed_in
def archive(request: HttpRequest) -> HttpResponse:
    own = Image.objects.owned_by(request.user)
    shown = PictureList("archive", own, {"archived": True, "owner": "me"})
    return listing.show(request, "gallery/archive.html", shown, {})


@require_safe
@vary_on_headers("HX-Request")
@signed_in
def tag(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show the pictures of one tag, including archived ones."""
    found = get_object_or_404(Tag.objects.filter(owner_id=request.user.pk), pk=pk)
    own = Image.objects.owned_by(request.user)
    shown = PictureList("tag", own, {"tag": [found.name], "owner": "me"})
    return listing.show(request, "gallery/tag.html", shown, {"tag": found})

"""The order of an album: arranged by hand, or sorted once by capture date."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from gallery import keyset
from gallery.models import Album
from gallery.organising import album_sorting, albums
from gallery.web import toasts
from gallery.web.access import member, signed_in
from gallery.web.pictures.tiles import tiles_of

# The most pictures on the page. More would make it slow.
MOST = 2000


@require_safe
@signed_in
def arrange(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The page with small pictures to move."""
    album = get_object_or_404(Album.objects.managed_by(request.user), pk=pk)
    images = albums.images_of(album, request.user).select_related("owner").defer("exif")
    shown = list(images.order_by(*keyset.IN_ALBUM.fields())[: MOST + 1])
    context = {
        "album": album,
        "tiles": tiles_of(shown[:MOST], request.user),
        # The first picture after those shown: the last one shown comes before it.
        "beyond": shown[MOST] if len(shown) > MOST else None,
        "arranging": {"move": reverse("api:album-move", args=[pk]), "texts": _texts()},
    }
    return render(request, "gallery/album_arrange.html", context)


def _texts() -> dict[str, str]:
    """Return the script's texts for screen readers. It replaces the words in braces."""
    return {
        "lifted": _("{name} picked up. Move it with the arrow keys, put it down with Enter."),
        "moved": _("{place} of {count}"),
        "dropped": _("{name} is number {place} of {count}."),
    }


@require_POST
@signed_in
def sort(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Sort the pictures by capture date."""
    album = get_object_or_404(Album.objects.managed_by(request.user), pk=pk)
    change = album_sorting.by_date(album, member(request))
    if change:
        text = _("The pictures are in the order in which they were taken.")
        toasts.offer_undo(request, text, reverse("change_undo", args=[change.pk]))
    return redirect("album_arrange", pk=pk)

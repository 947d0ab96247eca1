"""The trash: delete, view, restore, purge."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render, resolve_url
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from gallery import keyset
from gallery.library import service
from gallery.library.delivery import thumbnail_response
from gallery.models import Album, Image
from gallery.organising import bulk
from gallery.organising import trash as subject
from gallery.web import toasts
from gallery.web.access import is_fragment, member, next_address, signed_in
from gallery.web.pictures.tiles import Tile, tiles_of

PAGE = 60
# The widths of pictures in pixels: in the grid, and large.
_SMALL, _LARGE = 320, 1280
_EVERYTHING = {"all": True, "filters": {"trash": True}}


@dataclass(frozen=True)
class Deleted:
    """A picture in the trash. It is purged in `days` days."""

    tile: Tile
    days: int


@require_safe
@vary_on_headers("HX-Request")
@signed_in
def trash(request: HttpRequest) -> HttpResponse:
    deleted = Image.objects.in_trash_of(request.user)
    rows, after = keyset.page(
        deleted.select_related("owner"), request.GET.get("after"), PAGE, moment="deleted_at"
    )
    more = f"{reverse('trash')}?{urlencode({'after': after})}" if after else None
    part = {"deleted": _deleted_tiles(request, rows), "more": more}
    if is_fragment(request):
        return render(request, "gallery/trash_cards.html", part)
    context = {
        **part,
        "place": "trash",
        "total": deleted.count(),
        "selection": json.dumps(_EVERYTHING),
        "albums": Album.objects.in_trash_of(request.user).order_by("-deleted_at"),
        "trash_days": settings.TRASH_DAYS,
    }
    return render(request, "gallery/trash.html", context)


@require_safe
@signed_in
def picture(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One picture of the trash, large, to restore or purge it."""
    (deleted,) = _deleted_tiles(request, [_deleted(request, pk)])
    return render(request, "gallery/trash_picture.html", {"deleted": deleted})


@require_safe
@signed_in
def thumbnail(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """The thumbnail of a deleted picture for its owner. The ordinary addresses do not serve
    deleted pictures."""
    width = _LARGE if request.GET.get("size") == "large" else _SMALL
    return thumbnail_response(_deleted(request, pk), width, request=request)


@require_POST
@signed_in
def delete(request: HttpRequest, pk: UUID) -> HttpResponse:
    image = get_object_or_404(Image.objects.owned_by(request.user), pk=pk)
    service.delete_image(image)
    toasts.offer_undo(request, _("Picture deleted."), reverse("image_restore", args=[pk]))
    page = resolve_url("image", pk=pk)
    address = next_address(request, "home")
    return redirect("home" if address.startswith(page) else address)


@require_POST
@signed_in
def restore(request: HttpRequest, pk: UUID) -> HttpResponse:
    service.restore_image(_deleted(request, pk))
    toasts.say(request, _("Picture restored."))
    return redirect(next_address(request, resolve_url("image", pk=pk)))


@require_POST
@signed_in
def purge(request: HttpRequest, pk: UUID) -> HttpResponse:
    service.purge_image(_deleted(request, pk))
    toasts.say(request, _("Picture deleted for good."))
    return redirect("trash")


@require_POST
@signed_in
def restore_all(request: HttpRequest) -> HttpResponse:
    """Restore all pictures. Albums are restored one by one."""
    outcome = bulk.run("restore", _EVERYTHING, member(request))
    text = ngettext("%(n)d picture restored.", "%(n)d pictures restored.", outcome.changed)
    said = text % {"n": outcome.changed}
    if outcome.undo:
        toasts.offer_undo(request, said, reverse("change_undo", args=[outcome.undo.pk]))
    return redirect("trash")


@require_POST
@signed_in
def empty(request: HttpRequest) -> HttpResponse:
    purged = subject.empty(member(request))
    text = ngettext(
        "The trash is empty: %(n)d picture deleted for good.",
        "The trash is empty: %(n)d pictures deleted for good.",
        purged,
    )
    toasts.say(request, text % {"n": purged})
    return redirect("trash")


def _deleted(request: HttpRequest, pk: UUID) -> Image:
    return get_object_or_404(Image.objects.in_trash_of(request.user), pk=pk)


def _deleted_tiles(request: HttpRequest, rows: Iterable[Image]) -> list[Deleted]:
    images = list(rows)
    tiles = tiles_of(images, request.user)
    return [Deleted(tile, _days_left(image)) for tile, image in zip(tiles, images, strict=True)]


def _days_left(image: Image) -> int:
    """Return the days until the picture is purged, rounded up: 1 on the last day."""
    if image.deleted_at is None:
        return 0
    left = image.deleted_at + timedelta(days=settings.TRASH_DAYS) - timezone.now()
    return max(0, -(-left // timedelta(days=1)))

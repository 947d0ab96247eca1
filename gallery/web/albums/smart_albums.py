"""Smart albums on the pages: their state, and how to start and stop them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from gallery.models import Album, SavedSearch
from gallery.organising import saved_searches, smart_albums
from gallery.search.query import syntax
from gallery.web import toasts
from gallery.web.access import signed_in
from gallery.web.lists.ago import ago
from gallery.web.searching.saved_searches import search_address


@dataclass(frozen=True)
class Filling:
    """The state of a smart album. Only the owner may see the search, so `saved` is None for
    others. `version` changes when the album is filled."""

    saved: SavedSearch | None
    filled_at: datetime | None
    refused: bool
    run: str = ""

    @property
    def ago(self) -> str:
        return ago(self.filled_at) if self.filled_at else ""

    @property
    def waits(self) -> bool:
        return self.filled_at is None and not self.refused

    @property
    def version(self) -> str:
        return self.filled_at.isoformat() if self.filled_at else "never"


def filling_of(request: HttpRequest, album: Album) -> Filling | None:
    """Return the state of a smart album, and ask for an update if its content is old. None for an
    ordinary album."""
    saved = smart_albums.of_album(album)
    if saved is None:
        return None
    smart_albums.ask_for_filling(saved)
    refused = smart_albums.is_refused(saved)
    if saved.owner_id != request.user.pk:
        return Filling(None, saved.filled_at, refused)
    text = syntax.format(saved_searches.query_of(saved))
    return Filling(saved, saved.filled_at, refused, search_address(text))


@require_safe
@signed_in
def state(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The state of an album that is being filled. The page refreshes when `?seen=`, the version
    that it shows, is out of date."""
    album = get_object_or_404(Album.objects.visible_to(request.user), pk=pk)
    filling = filling_of(request, album)
    if filling is None or filling.version != request.GET.get("seen"):
        return HttpResponseClientRefresh()
    return render(request, "searches/filling.html", {"album": album, "filling": filling})


@require_POST
@signed_in
def make(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Create an album from a saved search, or go to the album that it has already."""
    saved = get_object_or_404(saved_searches.saved_searches_of(request.user), pk=pk)
    return redirect("album", pk=smart_albums.make(saved).pk)


@require_POST
@signed_in
def stop(request: HttpRequest, pk: UUID) -> HttpResponse:
    saved = get_object_or_404(saved_searches.saved_searches_of(request.user), pk=pk)
    album_id = saved.album_id
    change = smart_albums.stop(saved)
    if change is None:
        return redirect("searches")
    text = _("The album no longer fills itself. Its pictures stay.")
    toasts.offer_undo(request, text, reverse("change_undo", args=[change.pk]))
    return redirect("album", pk=album_id)

"""Saved searches, and whether their albums are filled. Their names and queries are not shown,
and neither is the search history."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from gallery.admin.readonly import ReadOnlyAdmin
from gallery.models import SavedSearch
from gallery.organising import smart_albums


@admin.register(SavedSearch)
class SavedSearchAdmin(ReadOnlyAdmin):
    list_display = ("id", "owner", "fills_album", "filled_at", "is_stuck", "created_at")
    list_filter = (("album", admin.EmptyFieldListFilter), "created_at")
    list_select_related = ("owner", "album")
    search_fields = ("owner__username",)
    list_display_links = None

    @display(description=_("fills an album"), boolean=True, ordering="album")
    def fills_album(self, saved: SavedSearch) -> bool:
        return saved.album_id is not None

    @display(description=_("a part of the search is gone"), boolean=True)
    def is_stuck(self, saved: SavedSearch) -> bool:
        return saved.album_id is not None and smart_albums.is_refused(saved)

"""Sorts an album by the date of capture, once."""

from __future__ import annotations

from django.db import transaction

from gallery.models import Album, AlbumItem, Change, User
from gallery.organising import albums, changes


@transaction.atomic
def by_date(album: Album, actor: User) -> Change | None:
    """Sort the oldest picture first. Returns what undoes it, None if nothing moved.

    Raises Refusal unless the actor manages the album.
    """
    items = AlbumItem.objects.filter(album=album).order_by("image__taken_at", "image_id")
    ordered = list(items.values_list("image_id", flat=True))
    moves = []
    for start in range(0, len(ordered), albums.MAX_MOVED):
        moves += albums.move(album, ordered[start : start + albums.MAX_MOVED], None, actor)
    kept = {"album": str(album.pk), "moves": [[str(pk), *places] for pk, *places in moves]}
    return changes.record(actor, "move", kept if moves else None)

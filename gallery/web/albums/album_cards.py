"""The data that templates need to show an album."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, Window
from django.db.models.functions import RowNumber
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from gallery.library import thumbnails
from gallery.models import Album, AlbumItem, Viewer
from gallery.organising import album_summaries, albums
from gallery.organising.album_summaries import Summary

# The most pictures in the mosaic of a cover.
MOSAIC = 4


@dataclass(frozen=True)
class Card:
    """An album in a list, under its `name`. If that tells how many pictures there are and from
    when, `is_described`. `covers` are the addresses of up to MOSAIC pictures, the cover first.
    `shared` tells those who manage the album that others see it."""

    album: Album
    name: str
    role: str
    count: int
    dates: str
    covers: list[str]
    shared: bool

    @property
    def is_described(self) -> bool:
        return not self.album.title

    @property
    def is_own(self) -> bool:
        return self.role == albums.OWNER


def cards_of(found: Sequence[Album], viewer: Viewer) -> list[Card]:
    """Return the cards of albums from `album_summaries.with_summary_fields`, in the same order."""
    firsts = _first_pictures(found, viewer)
    return [
        _card(summary, firsts[summary.album.pk])
        for summary in album_summaries.summarise(found, viewer)
    ]


def card_without_covers(album: Album, viewer: Viewer) -> Card:
    """For the page of an album, which shows its pictures."""
    (summary,) = album_summaries.summarise([album], viewer)
    return _card(summary, [])


def _card(summary: Summary, firsts: list[tuple[UUID, str]]) -> Card:
    covers = dict(firsts)
    if summary.cover_id is not None:
        covers = {summary.cover_id: summary.cover_edition, **covers}
    return Card(
        album=summary.album,
        name=summary.name,
        role=summary.role,
        count=summary.count,
        dates=_dates(summary),
        covers=[
            thumbnails.address(pk, 320, edition=edition)
            for pk, edition in list(covers.items())[:MOSAIC]
        ],
        shared=bool(summary.shared),
    )


def _first_pictures(
    found: Sequence[Album], viewer: Viewer
) -> defaultdict[UUID, list[tuple[UUID, str]]]:
    """Return the ids and editions of the first pictures of each album that `viewer` sees, with
    the same rule as `albums.images_of`."""
    shown = Q(image__hidden_at__isnull=True) | Q(image__owner_id=viewer.pk or 0)
    order = ("position", "pk")
    rank = Window(RowNumber(), partition_by="album_id", order_by=order)
    entries = AlbumItem.objects.filter(shown, album__in=found, image__deleted_at__isnull=True)
    firsts = entries.alias(rank=rank).filter(rank__lte=MOSAIC).order_by("album_id", *order)
    pictures: defaultdict[UUID, list[tuple[UUID, str]]] = defaultdict(list)
    shown_firsts = firsts.values_list("album_id", "image_id", "image__edition")
    for album_id, image_id, edition in shown_firsts:
        pictures[album_id].append((image_id, edition))
    return pictures


def _dates(summary: Summary) -> str:
    """Return the months of the first and the last capture, or ""."""
    if summary.first_taken_at is None or summary.last_taken_at is None:
        return ""
    first, last = (
        date_format(when, "YEAR_MONTH_FORMAT")
        for when in (summary.first_taken_at, summary.last_taken_at)
    )
    return first if first == last else _("%(first)s to %(last)s") % {"first": first, "last": last}

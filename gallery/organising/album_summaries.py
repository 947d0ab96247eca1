"""What a list of albums shows of each: its number of pictures, their first and last date, its
cover, and whether it is shared. A few queries for a whole page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import Count, Max, Min, OuterRef, Q, Subquery

from gallery.models import Album, AlbumItem, AlbumRole, AlbumShare, Image, ShareLink, Viewer
from gallery.organising import album_names, albums

if TYPE_CHECKING:
    from gallery.models.album import AlbumQuerySet


@dataclass(frozen=True)
class Summary:
    """An album as a viewer sees it. `name` is its title, or says what a shared selection without
    a title is. `shared` is None for viewers who do not manage it."""

    album: Album
    name: str
    role: str
    count: int
    cover_id: UUID | None
    cover_edition: str
    first_taken_at: datetime | None
    last_taken_at: datetime | None
    shared: bool | None


def with_summary_fields(found: AlbumQuerySet, viewer: Viewer) -> AlbumQuerySet:
    """Return the albums with all that `summarise` needs of each."""
    return albums.with_role(found, viewer).select_related("owner", "smart")


def summarise(found: Sequence[Album], viewer: Viewer) -> list[Summary]:
    """Return one summary for each album, in the same order."""
    counts = _counts(found, viewer)
    covers = _covers(found, viewer)
    editions = _editions(covers.values())
    shared = _shared(found)
    return [
        Summary(
            album=album,
            name=_name(album, counts.get(album.pk, _NOTHING)),
            role=(role := albums.role_of(album, viewer)),
            count=counts.get(album.pk, _NOTHING).count,
            cover_id=covers.get(album.pk),
            cover_edition=editions.get(covers.get(album.pk), ""),
            first_taken_at=counts.get(album.pk, _NOTHING).first,
            last_taken_at=counts.get(album.pk, _NOTHING).last,
            shared=album.pk in shared if role in {albums.OWNER, AlbumRole.MANAGE} else None,
        )
        for album in found
    ]


def name_of(album: Album, viewer: Viewer) -> str:
    return names_of([album], viewer)[album.pk]


def names_of(found: Iterable[Album], viewer: Viewer) -> dict[UUID, str]:
    """Return what each album is called for `viewer`. Of pictures that the viewer does not see any
    more, the name tells nothing."""
    names = {album.pk: album.title for album in found}
    unnamed = [album for album in found if not album.title]
    if not unnamed:
        return names
    ids = [album.pk for album in unnamed]
    seen = set(Album.objects.visible_to(viewer).filter(pk__in=ids).values_list("pk", flat=True))
    shown = [album for album in unnamed if album.pk in seen or album.owner_id == viewer.pk]
    counts = _counts(shown, viewer)
    names |= dict.fromkeys(ids, album_names.unseen())
    return names | {album.pk: _name(album, counts.get(album.pk, _NOTHING)) for album in shown}


@dataclass(frozen=True)
class _Contents:
    """The pictures of an album. `dated` of them have a date of capture; the others count from
    their upload in `first` and `last`."""

    count: int = 0
    dated: int = 0
    first: datetime | None = None
    last: datetime | None = None


_NOTHING = _Contents()


def name_without_title(album: Album, viewer: Viewer) -> str:
    """Return the name that a shared selection gets if it has no title. `viewer` may see it."""
    return _described(album, _counts([album], viewer).get(album.pk, _NOTHING))


def _name(album: Album, has: _Contents) -> str:
    return album.title or _described(album, has)


def _described(album: Album, has: _Contents) -> str:
    first, last = (has.first, has.last) if has.dated == has.count else (None, None)
    return album_names.described(has.count, first, last, album.created_at)


def _entries(found: Iterable[Album], viewer: Viewer) -> Q:
    """Return the condition for entries that the albums show to `viewer` (as `albums.images_of`)."""
    shown = Q(image__hidden_at__isnull=True) | Q(image__owner_id=viewer.pk or 0)
    shown &= Q(album__in=[album.pk for album in found], image__deleted_at__isnull=True)
    if any(album.deleted_at for album in found):
        # An album in the trash gives nobody access to pictures of others.
        visible = Image.objects.visible_to(viewer).order_by().values("pk")
        shown &= Q(album__deleted_at__isnull=True) | Q(image__in=visible)
    return shown


def _counts(found: Iterable[Album], viewer: Viewer) -> dict[UUID, _Contents]:
    rows = (
        AlbumItem.objects.filter(_entries(found, viewer))
        .values("album_id")
        .annotate(
            count=Count("pk"),
            dated=Count("image__captured_at"),
            first=Min("image__taken_at"),
            last=Max("image__taken_at"),
        )
    )
    return {
        row["album_id"]: _Contents(row["count"], row["dated"], row["first"], row["last"])
        for row in rows
    }


def _covers(found: Sequence[Album], viewer: Viewer) -> dict[UUID, UUID]:
    """Return the chosen cover of each album if the album still shows it, else its first
    picture."""
    shown = AlbumItem.objects.filter(_entries(found, viewer))
    chosen = shown.filter(image__in=[album.cover_id for album in found if album.cover_id])
    first = shown.filter(album=OuterRef("pk")).order_by("position", "pk").values("image_id")[:1]
    these = Album.objects.filter(pk__in=[album.pk for album in found])
    firsts = these.order_by().values_list("pk", Subquery(first))
    covers = {album_id: image_id for album_id, image_id in firsts if image_id is not None}
    wanted = {album.pk: album.cover_id for album in found}
    for album_id, image_id in chosen.values_list("album_id", "image_id"):
        if wanted[album_id] == image_id:
            covers[album_id] = image_id
    return covers


def _editions(covers: Iterable[UUID]) -> dict[UUID | None, str]:
    edited = Image.objects.filter(pk__in=list(covers)).exclude(edition="").order_by()
    return dict(edited.values_list("pk", "edition"))


def _shared(found: Iterable[Album]) -> set[UUID]:
    ids = [album.pk for album in found]
    people = AlbumShare.objects.filter(album__in=ids).values_list("album_id", flat=True)
    links = ShareLink.objects.live().filter(album__in=ids).values_list("album_id", flat=True)
    return {*people, *links} - {None}

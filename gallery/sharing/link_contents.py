"""The contents of a link: the pictures of its album in their order, or its single picture."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.db.models import Value

from gallery import keyset
from gallery.models import Image, ShareLink
from gallery.models.image import ImageQuerySet
from gallery.organising import album_names


@dataclass(frozen=True)
class About:
    """The description of a link for its visitors."""

    kind: str
    title: str
    description: str
    owner: str


@dataclass(frozen=True)
class Neighbours:
    """The ids of the pictures before and after one, and its place among all, from 1."""

    before: UUID | None
    after: UUID | None
    place: int
    count: int


def about(link: ShareLink) -> About:
    if link.album is not None:
        album = link.album
        title = album.title or album_names.counted(pictures_of(link).count())
        return About("album", title, album.description, album.owner.shown_name)
    image = picture_of(link)
    return About("image", image.display_title, image.description, image.owner.shown_name)


def picture_of(link: ShareLink) -> Image:
    """The picture of a link to a single picture. Raises ValueError for a link to an album."""
    if link.image is None:
        raise ValueError(f"{link.pk} leads to an album.")
    return link.image


def pictures_of(link: ShareLink) -> ImageQuerySet:
    """All pictures that a link of `link_access.find_link` shows. They can be ordered by
    `keyset.IN_ALBUM`, even a single picture."""
    shown = Image.objects.filter(deleted_at__isnull=True, hidden_at__isnull=True)
    if link.album is not None:
        return shown.filter(album_items__album=link.album).with_place()
    return shown.filter(pk=picture_of(link).pk).annotate(position=Value(0.0), item_id=Value(0))


def page(link: ShareLink, after: str | None, size: int) -> tuple[list[Image], str | None]:
    """Return at most `size` pictures after the cursor `after`, in the order of the album, and
    the cursor of the next page (None on the last page). Raises Refusal (bad_cursor)."""
    return keyset.page(pictures_of(link), after, size, order=keyset.IN_ALBUM)


def neighbours(link: ShareLink, image: Image) -> Neighbours | None:
    """The neighbours of a picture; None if it has left the album meanwhile."""
    pictures = pictures_of(link)
    here: Any = pictures.filter(pk=image.pk).first()
    if here is None:
        return None
    earlier, later = _beside(pictures, here)
    return Neighbours(
        before=earlier.values_list("pk", flat=True).first(),
        after=later.values_list("pk", flat=True).first(),
        place=earlier.count() + 1,
        count=pictures.count(),
    )


def window(link: ShareLink, image: Image, size: int) -> list[Image]:
    """Return at most `size` pictures on either side of one and itself, in the order of the album;
    none if it has left the album meanwhile."""
    pictures = pictures_of(link)
    here: Any = pictures.filter(pk=image.pk).first()
    if here is None:
        return []
    earlier, later = _beside(pictures, here)
    return [*reversed(earlier[:size]), here, *later[:size]]


def _beside(pictures: ImageQuerySet, here: Any) -> tuple[ImageQuerySet, ImageQuerySet]:
    """Return the pictures before and after `here`, each the nearest first."""
    forward = keyset.IN_ALBUM
    backward = replace(forward, descending=not forward.descending)
    earlier, later = (
        pictures.filter(order.after(here.position, here.item_id)).order_by(*order.fields())
        for order in (backward, forward)
    )
    return earlier, later

"""What the templates need to draw one picture."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.timezone import localdate

from gallery.library.renditions import widths_of
from gallery.models import Image, User
from gallery.search.results import Hit

# Extreme panoramas and strips are cropped in the grid: otherwise one would fill
# a row at no height, or tower over its neighbours.
_NARROWEST, _WIDEST = 0.5, 3.0
# Heights of a row in the grid (see grid.css), with room to grow.
_ROW, _ROW_ON_PHONE = 320, 180


@dataclass(frozen=True)
class Tile:
    """A picture in a grid. `state` is pending, failed or hidden where its owner
    should be told, else empty; `score` is text; `share` is its part of the best
    score; `day` is when it was taken, as 2024-05-03, in grids that show days."""

    image: Image
    name: str
    href: str
    src: str
    srcset: str
    ratio: float
    sizes: str
    placeholder: str
    owned: bool
    favourite: bool = False
    state: str = ""
    day: str = ""
    score: str | None = None
    share: float = 0.0


def tiles_of(images: Iterable[Image], viewer: User | AnonymousUser) -> list[Tile]:
    """Images need `.owner` selected and the index state annotated; the viewer's
    favourites are marked where they are (`with_favourite`)."""
    return [_tile(image, viewer) for image in images]


def tiles_by_day(images: Iterable[Image], viewer: User | AnonymousUser) -> list[Tile]:
    """As `tiles_of`, for a grid that tells the days."""
    return [_tile(image, viewer, day=localdate(image.taken_at).isoformat()) for image in images]


def tiles_of_hits(hits: Iterable[Hit], viewer: User | AnonymousUser, best: float) -> list[Tile]:
    """`best` is the score that the bars are drawn against."""
    return [
        _tile(
            hit.image,
            viewer,
            score=number_format(round(hit.score or 0.0, 2) + 0.0, 2),  # no “-0.00”
            share=round(min(max((hit.score or 0.0) / best, 0.0), 1.0), 3) if best > 0 else 0.0,
        )
        for hit in hits
    ]


def name_for(image: Image, viewer: User | AnonymousUser) -> str:
    """What to call a picture. Its owner knows it by its file name, too; others must
    not see that."""
    if not image.title and image.original_name and image.is_owned_by(viewer):
        return image.original_name
    return image.display_title


def thumbnail(image: Image, width: int) -> str:
    return f"{reverse('api:image-thumbnail', args=[image.pk])}?w={width}"


def srcset(image: Image) -> str:
    """Every rendition with its true width: the last one may be the picture's own."""
    return ", ".join(
        f"{thumbnail(image, width)} {min(width, image.width)}w" for width in widths_of(image)
    )


def _tile(image: Image, viewer: User | AnonymousUser, **facts: Any) -> Tile:
    ratio = round(min(max(image.width / image.height, _NARROWEST), _WIDEST), 4)
    owned = image.is_owned_by(viewer)
    return Tile(
        image=image,
        name=name_for(image, viewer),
        href=reverse("image", args=[image.pk]),
        src=thumbnail(image, 640),
        srcset=srcset(image),
        ratio=ratio,
        sizes=f"(max-width: 640px) {ratio * _ROW_ON_PHONE:.0f}px, {ratio * _ROW:.0f}px",
        placeholder=image.placeholder,
        owned=owned,
        favourite=getattr(image, "is_favourite", False),
        state=_state(image) if owned else "",
        **facts,
    )


def _state(image: Image) -> str:
    """What the owner should know at a glance."""
    if image.hidden_at:
        return "hidden"
    state = getattr(image, "index_state", "")
    return state if state in {"pending", "failed"} else ""

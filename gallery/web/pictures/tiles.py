"""What the templates need to draw one picture."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.urls import get_script_prefix, reverse
from django.utils.formats import number_format
from django.utils.translation import gettext_lazy

from gallery.errors import Sentence
from gallery.library import thumbnails
from gallery.library.renditions import nearest_width, widths_of
from gallery.models import Image, User
from gallery.search.relevance.relevance import Fit
from gallery.search.results import Hit

# Extreme panoramas and strips are cropped in the grid: otherwise one would fill
# a row at no height, or tower over its neighbours.
_NARROWEST, _WIDEST = 0.5, 3.0
# Heights of a row in the grid (see grid.css), with room to grow.
_ROW, _ROW_ON_PHONE = 320, 180

_ANY = UUID(int=0)
# The section of results that lie under the relevance line.
WEAK = "weak"
FITS: dict[Fit, Sentence] = {
    "excellent": gettext_lazy("Excellent"),
    "good": gettext_lazy("Good"),
    "fair": gettext_lazy("Fair"),
    "weak": gettext_lazy("Weak"),
}


@dataclass(frozen=True)
class Tile:
    """A picture in a grid. `state` is pending, failed or hidden where its owner
    should be told, else empty. `section` begins under a heading of its own: the day
    it was taken, as 2024-05-03, in grids that show days, and WEAK among results.

    Of a result, `fit` says in a word how well it fits, where that is known; `score`
    is the cosine as text, `share` in [0, 1] as a bar. `similar` are the ids of the
    near-duplicates that stand behind it.
    """

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
    section: str = ""
    fit: str = ""
    score: str = ""
    share: float = 0.0
    by_words: bool = False
    similar: tuple[UUID, ...] = ()

    @property
    def is_marked(self) -> bool:
        """Whether anything stands in its corner."""
        return bool(self.score or self.by_words or self.state)


def tiles_of(images: Iterable[Image], viewer: User | AnonymousUser) -> list[Tile]:
    """Images need `.owner` selected and the index state annotated; the viewer's
    favourites are marked where they are (`with_favourite`)."""
    return [_tile(image, viewer) for image in images]


def tiles_by_day(images: Iterable[Image], viewer: User | AnonymousUser) -> list[Tile]:
    """As `tiles_of`, for a grid that tells the days."""
    return [_tile(image, viewer, section=image.taken_at.date().isoformat()) for image in images]


def tile_of_hit(
    hit: Hit, viewer: User | AnonymousUser, best: float = 0.0, section: str = ""
) -> Tile:
    """Where nothing is known of the fit, the bar is drawn against the `best` score."""
    if hit.score is None:
        return _tile(hit.image, viewer)
    share = hit.share if hit.fit else hit.score / best if best > 0 else 0.0
    return _tile(
        hit.image,
        viewer,
        section=section,
        fit=str(FITS[hit.fit]) if hit.fit else "",
        score=number_format(round(hit.score, 2) + 0.0, 2),  # no “-0.00”
        share=round(min(max(share, 0.0), 1.0), 3),
        by_words=hit.by_words,
        similar=tuple(image.pk for image in hit.similar),
    )


def name_for(image: Image, viewer: User | AnonymousUser) -> str:
    """What to call a picture. Its owner knows it by its file name, too; others must
    not see that."""
    if not image.title and image.original_name and image.is_owned_by(viewer):
        return image.original_name
    return image.display_title


def thumbnail(image: Image, width: int, link: str = "") -> str:
    """The address, as `link` shows it if there is one."""
    return thumbnails.address(image.pk, nearest_width(image, width), link)


def _path(name: str, image: Image) -> str:
    before, after = _parts(name, get_script_prefix())
    return f"{before}{image.pk}{after}"


@lru_cache
def _parts(name: str, _prefix: str) -> tuple[str, str]:
    """What stands before and after the id of a picture. A grid has hundreds of addresses,
    and Django takes longer to find a path than to write it down."""
    before, after = reverse(name, args=[_ANY]).split(str(_ANY))
    return before, after


def srcset(image: Image, link: str = "") -> str:
    """Every rendition with its true width: the last one may be the picture's own."""
    address = thumbnails.address(image.pk, link=link)
    return ", ".join(
        f"{address}?w={width} {min(width, image.width)}w" for width in widths_of(image)
    )


def _tile(image: Image, viewer: User | AnonymousUser, **facts: Any) -> Tile:
    ratio = round(min(max(image.width / image.height, _NARROWEST), _WIDEST), 4)
    owned = image.is_owned_by(viewer)
    return Tile(
        image=image,
        name=name_for(image, viewer),
        href=_path("image", image),
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

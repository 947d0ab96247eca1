"""The data that templates need to show a picture."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from html import escape
from typing import Any
from uuid import UUID

from django.urls import get_script_prefix, reverse
from django.utils.formats import date_format, number_format
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from gallery.errors import Sentence
from gallery.library import thumbnails
from gallery.library.renditions import nearest_width, widths_of
from gallery.models import Image, Viewer
from gallery.search.relevance.relevance import Fit
from gallery.search.shown_hits import ShownHit

# Limits of width / height in the grid. Extreme panoramas and strips are cropped: otherwise one
# would fill a whole row, or be much taller than its neighbours.
_NARROWEST, _WIDEST = 0.5, 3.0
# The heights of a grid row in pixels (see grid.css), with some reserve.
_ROW, _ROW_ON_PHONE = 320, 140

_ANY = UUID(int=0)
# The section of results below the relevance line.
WEAK = "weak"
FITS: dict[Fit, Sentence] = {
    "excellent": gettext_lazy("Excellent"),
    "good": gettext_lazy("Good"),
    "fair": gettext_lazy("Fair"),
    "weak": gettext_lazy("Weak"),
}


@dataclass(frozen=True)
class Tile:
    """A picture in a grid. `state` is "pending", "failed" or "hidden" for the owner, else "".
    Tiles of a `section` are under one heading: the capture day (2024-05-03) in grids that show
    days, and WEAK among results.

    For a search result, `fit` is the relevance as a word, if known. `score` is the cosine as
    text, and `share`, in [0, 1], is the length of its bar. `similar` are the ids of
    near-duplicates that are folded behind it.

    `note` is another short mark, for example a probability, and `note_title` its explanation.
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
    note: str = ""
    note_title: str = ""

    @property
    def attributes(self) -> SafeString:
        """The attributes of the tile's element. Python builds them and `look`: a page has sixty
        tiles, and a template takes ten times as long for each."""
        owned = " data-owned" if self.owned else ""
        section = f' data-section="{self.section}"' if self.section else ""
        shown_first = (
            f" background-image: url('{escape(self.placeholder)}')" if self.placeholder else ""
        )
        return mark_safe(  # noqa: S308 - escaped, or of our own making
            f'data-id="{self.image.pk}"{owned}{section} style="--ratio: {self.ratio};{shown_first}"'
        )

    @property
    def look(self) -> SafeString:
        """The picture and its caption. Screen readers hear the date, and the owner of pictures of
        others."""
        name, owner = escape(self.name), escape(self.image.owner.shown_name)
        taken = self.image.captured_clock
        day = f'<span class="visually-hidden">{_day(taken.date())}</span>' if taken else ""
        whose = ' aria-hidden="true"' if self.owned else ""
        return mark_safe(  # noqa: S308 - escaped, or of our own making
            f'<img src="{self.src}" srcset="{self.srcset}" sizes="{self.sizes}" alt="{name}"'
            ' loading="lazy" decoding="async">'
            f'<span class="tile-caption"><strong aria-hidden="true">{name}</strong>'
            f'{day}<span class="nowrap"{whose}>{owner}</span></span>'
        )

    @property
    def score_mark(self) -> SafeString:
        """The relevance of a result as a bar and a word, with the score as a tooltip."""
        if not self.score:
            return mark_safe("")
        title = escape(_("Similarity %(score)s of at most 1") % {"score": self.score})
        return mark_safe(  # noqa: S308 - escaped, or of our own making
            f'<span class="score" title="{title}">'
            f'<span class="visually-hidden">{escape(_("Match:"))}</span>'
            f'<span class="score-bar" style="--share: {self.share}" aria-hidden="true">'
            "<i></i></span>"
            f'<span class="score-word">{escape(self.fit or self.score)}</span></span>'
        )

    @property
    def is_marked(self) -> bool:
        """Whether the corner of the tile shows a mark."""
        return bool(self.score or self.by_words or self.state or self.note)


def tiles_of(images: Iterable[Image], viewer: Viewer) -> list[Tile]:
    """Return the tiles of pictures. These need `owner` selected and the index state annotated.
    Favourites are marked if annotated (`with_favourite`)."""
    return [_tile(image, viewer) for image in images]


def tiles_by_day(images: Iterable[Image], viewer: Viewer) -> list[Tile]:
    """Return tiles as `tiles_of` does, for a grid with headings for days."""
    return [_tile(image, viewer, section=image.taken_at.date().isoformat()) for image in images]


def tile_of_hit(hit: ShownHit, viewer: Viewer, best: float = 0.0, section: str = "") -> Tile:
    """Return the tile of a search result. If its fit is unknown, the bar is relative to the `best`
    score."""
    if hit.score is None:
        return _tile(hit.image, viewer)
    share = hit.share if hit.fit else hit.score / best if best > 0 else 0.0
    return _tile(
        hit.image,
        viewer,
        hit.name,
        section=section,
        fit=str(FITS[hit.fit]) if hit.fit else "",
        score=number_format(round(hit.score, 2) + 0.0, 2),  # no “-0.00”
        share=round(min(max(share, 0.0), 1.0), 3),
        by_words=hit.by_words,
        similar=tuple(image.pk for image in hit.similar),
    )


def thumbnail(image: Image, width: int, link: str = "") -> str:
    """Return the thumbnail's address, through the share link `link` if given."""
    return thumbnails.address(image.pk, nearest_width(image, width), link, image.edition)


def _day(day: date) -> str:
    return _day_in(day, get_language())


@lru_cache(maxsize=4096)
def _day_in(day: date, _language: str | None) -> str:
    """Return a day in words. It is cached: a grid has hundreds, many of the same day."""
    return escape(date_format(day, "DATE_FORMAT"))


def _path(name: str, image: Image) -> str:
    before, after = _parts(name, get_script_prefix())
    return f"{before}{image.pk}{after}"


@lru_cache
def _parts(name: str, _prefix: str) -> tuple[str, str]:
    """Return the parts of the path before and after a picture's id. They are cached: a grid has
    hundreds of addresses, and `reverse` is slow."""
    before, after = reverse(name, args=[_ANY]).split(str(_ANY))
    return before, after


def srcset(image: Image, link: str = "") -> str:
    """Return the `srcset` of all renditions with their real widths. A rendition is never wider
    than the picture."""
    return _srcset(image, thumbnails.address(image.pk, link=link, edition=image.edition))


def _srcset(image: Image, address: str) -> str:
    return ", ".join(
        f"{address}?w={width} {min(width, image.width)}w" for width in widths_of(image)
    )


def _tile(image: Image, viewer: Viewer, name: str | None = None, **facts: Any) -> Tile:
    ratio = round(min(max(image.width / image.height, _NARROWEST), _WIDEST), 4)
    owned = image.is_owned_by(viewer)
    address = thumbnails.address(image.pk, edition=image.edition)
    return Tile(
        image=image,
        name=image.name_for(viewer) if name is None else name,
        href=_path("image", image),
        src=f"{address}?w={nearest_width(image, 640)}",
        srcset=_srcset(image, address),
        ratio=ratio,
        sizes=f"(max-width: 640px) {ratio * _ROW_ON_PHONE:.0f}px, {ratio * _ROW:.0f}px",
        placeholder=image.placeholder,
        owned=owned,
        favourite=getattr(image, "is_favourite", False),
        state=_state(image) if owned else "",
        **facts,
    )


def _state(image: Image) -> str:
    """Return the state to show to the owner, or ""."""
    if image.hidden_at:
        return "hidden"
    state = getattr(image, "index_state", "")
    return state if state in {"pending", "failed"} else ""

"""Queries as chips (words and small pictures), for lists of queries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gallery.models import Album, Image, Viewer
from gallery.organising import album_summaries
from gallery.search.filters import colours, date_labels
from gallery.search.query.query import Query, Term
from gallery.web.lists import category_filter, filter_labels
from gallery.web.pictures.tiles import thumbnail


@dataclass(frozen=True)
class QueryChip:
    """One term or filter. `src` is the address of a small picture or "", and `swatch` is a colour
    as #rrggbb or "". `gone` means that the viewer can no longer see its picture or album, and
    `is_picture` that the term is a picture, seen or not."""

    label: str
    is_filter: bool = False
    minus: bool = False
    src: str = ""
    gone: bool = False
    swatch: str = ""
    is_picture: bool = False


def chips_of(queries: Sequence[Query], viewer: Viewer) -> list[list[QueryChip]]:
    """Return the chips of each query, terms first. A few statements load all of them."""
    images = _images(queries, viewer)
    albums = _album_titles(queries, viewer)
    return [
        [
            *(_term(term, images, viewer) for term in query.terms),
            *_filters(query.filters, albums, viewer),
        ]
        for query in queries
    ]


def in_words(query: Query, viewer: Viewer) -> str:
    """Return a name for the query (`words_of`)."""
    (chips,) = chips_of([query], viewer)
    return words_of(chips)


def words_of(chips: Sequence[QueryChip]) -> str:
    """Return a query in a few words: “a dog on the beach + 1 picture, without people, #holiday”.
    Only a picture that stands alone is named."""
    pictures = [chip for chip in chips if chip.is_picture]
    terms = [chip for chip in chips if not chip.is_filter]
    if len(terms) == len(pictures) == 1:
        return all_words_of(chips)
    wanted = [chip.label for chip in terms if not chip.minus and not chip.is_picture]
    added = sum(not chip.minus for chip in pictures)
    taken = len(pictures) - added
    start = " + ".join(filter(None, [", ".join(wanted), _pictures(added)]))
    unwanted = [chip.label for chip in terms if chip.minus and not chip.is_picture]
    without = [_without(what) for what in (*unwanted, _pictures(taken)) if what]
    filters = [chip.label for chip in chips if chip.is_filter]
    return ", ".join(filter(None, [start, *without, *filters]))


def all_words_of(chips: Sequence[QueryChip]) -> str:
    """Return all parts of a query in words, each picture by its name."""
    return ", ".join(_without(chip.label) if chip.minus else chip.label for chip in chips)


def _pictures(count: int) -> str:
    if not count:
        return ""
    return ngettext("%(count)d picture", "%(count)d pictures", count) % {"count": count}


def _without(what: str) -> str:
    return _("without %(what)s") % {"what": what}


def _term(term: Term, images: Mapping[UUID, Image], viewer: Viewer) -> QueryChip:
    minus = term.weight < 0
    if term.is_text:
        return QueryChip(term.text, minus=minus)
    if term.image is None:
        return QueryChip(_("a picture of yours"), minus=minus, is_picture=True)
    image = images.get(term.image)
    if image is None:
        return QueryChip(_("a picture that is gone"), minus=minus, gone=True, is_picture=True)
    name = image.name_for(viewer)
    if term.crop is not None:
        name = _("a part of %(name)s") % {"name": name}
    return QueryChip(name, minus=minus, src=thumbnail(image, 160), is_picture=True)


def _images(queries: Sequence[Query], viewer: Viewer) -> dict[UUID, Image]:
    ids = {term.image for query in queries for term in query.terms if term.image is not None}
    return Image.objects.reachable_by(viewer).in_bulk(ids) if ids else {}


# --- Filters ------------------------------------------------------------------------


def _filters(
    filters: Mapping[str, Any], albums: Mapping[str, str], viewer: Viewer
) -> Iterator[QueryChip]:
    left = dict(filters)
    yield from map(
        _filter, date_labels.labels(left.pop("taken_after", None), left.pop("taken_before", None))
    )
    yield from map(_filter, _sizes(left.pop("size_min", None), left.pop("size_max", None)))
    for name, value in left.items():
        for entry in value if isinstance(value, list) else [value]:
            if name == "album":
                # The line names an album by its id or by its title.
                name_or_id = str(entry)
                title = albums.get(name_or_id.lower()) if _uuid(name_or_id) else name_or_id
                label = _("Album: %(title)s") % {"title": title or _("unknown")}
                yield QueryChip(label, is_filter=True, gone=title is None)
            elif name == "color":
                yield _colour(str(entry))
            elif name == "category":
                yield _filter(category_filter.label(str(entry), viewer))
            else:
                yield _filter(_label(name, entry))


def _filter(label: str) -> QueryChip:
    return QueryChip(label, is_filter=True)


def _colour(text: str) -> QueryChip:
    colour = colours.canonical(text)
    swatch = colours.swatch(colour) if colour else ""
    return QueryChip(filter_labels.label("color", text), is_filter=True, swatch=swatch)


def _label(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return filter_labels.label(name, "true" if value else "false")
    return filter_labels.label(name, str(value))


def _sizes(least: Any, most: Any) -> Iterator[str]:
    for name, size in (("size_min", least), ("size_max", most)):
        if size is not None:
            yield filter_labels.label(name, _number(size))


def _number(value: Any) -> str:
    return number_format(f"{value:g}") if isinstance(value, int | float) else str(value)


def _album_titles(queries: Sequence[Query], viewer: Viewer) -> dict[str, str]:
    """Return names by id, for the albums that queries name by id."""
    named = {str(query.filters["album"]).lower() for query in queries if query.filters.get("album")}
    if not named:
        return {}
    ids = [pk for name in named if (pk := _uuid(name))]
    found = list(Album.objects.visible_to(viewer).filter(pk__in=ids))
    return {str(pk): name for pk, name in album_summaries.names_of(found, viewer).items()}


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None

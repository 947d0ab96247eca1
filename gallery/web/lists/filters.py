"""The filters of a list of pictures: read from its address, shown as chips that remove them one
by one, and as fields of a form."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from gallery.errors import Refusal, Sentence
from gallery.models import Album, Image, User, Viewer
from gallery.models.clock import YearOf
from gallery.organising import album_summaries, tags
from gallery.search.filters import colours, date_labels, dates
from gallery.search.query.syntax import SIZES
from gallery.web.lists import category_filter, filter_labels
from gallery.web.lists.category_filter import CategoryFields

# These have the same names as in the API.
_LIKE_THE_API = (
    *("words", "camera", "orientation", "size_min", "size_max"),
    *("album", "owner", "visibility", "state", "favourite", "rating"),
)
_SEVERAL = ("color", "tag", "category")
# `on` is a year, a month, a day or a moving span (gallery.search.filters.dates). `from` and `to`
# are days, and count before it; the last day is included.
DATES = ("on", "from", "to")
NAMES = (*DATES, *_LIKE_THE_API, *_SEVERAL)
_MEMBERS_ONLY = {"album", "visibility", "state", "favourite", "tag"}

_SIZE_NAMES: dict[str, Sentence] = {
    "small": gettext_lazy("Small"),
    "medium": gettext_lazy("Medium"),
    "large": gettext_lazy("Large"),
}
# The numbers that a number field accepts.
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?", re.IGNORECASE)
_OFFERED_SPANS = (
    *("today", "yesterday", "this-week", "last-week", "this-month", "last-month", "last-30-days"),
    *("this-year", "last-year"),
)
# The most suggestions for one field.
_MOST_SUGGESTIONS = 100


@dataclass(frozen=True)
class Chip:
    """One active filter, and the address of the same list without it. For a colour `swatch` is
    #rrggbb."""

    label: str
    without: str
    swatch: str = ""


@dataclass(frozen=True)
class Swatch:
    """A colour to choose: its value in the address, its name and its look (#rrggbb)."""

    value: str
    label: str
    hex: str
    chosen: bool


@dataclass(frozen=True)
class Fields:
    """The fields of the form. `shown` are the names of those that make sense in this list.
    `choices` are (value, label, chosen) by field, and so are `spans`, the moving spans; `span` is
    the value and the label of a chosen span that is none of these. `sizes` are (label, least, most)
    in megapixels. `categories` are those chosen; the others are loaded with their counts."""

    shown: list[str]
    values: dict[str, str]
    choices: dict[str, list[tuple[str, Sentence, bool]]]
    swatches: list[Swatch]
    sizes: list[tuple[Sentence, str, str]]
    spans: list[tuple[str, Sentence, bool]]
    span: tuple[str, Sentence] | None
    categories: CategoryFields | None


@dataclass(frozen=True)
class FilterBar:
    """The data of templates/gallery/filters.html. `kept` are the parameters of the address that
    are not filters. If `fields` is None, they are loaded when the panel opens, from `later`.
    This is also the address of the page with the panel open."""

    chips: list[Chip]
    clear: str
    kept: list[tuple[str, str]]
    later: str
    is_open: bool
    fields: Fields | None

    @property
    def when_open(self) -> str:
        """The htmx trigger of requests that wait until the panel is open."""
        return "load" if self.is_open else "toggle from:#filters once"


def read(asked: QueryDict) -> dict[str, Any]:
    """Return the filters of an address, with the names of `gallery.search.filters.image_filter`.

    Raises Refusal if the last day or the span is no date. That module checks all other values.
    """
    found: dict[str, Any] = {name: asked[name] for name in _LIKE_THE_API if asked.get(name)}
    found |= _dates(asked)
    for name in _SEVERAL:
        if values := [value for value in asked.getlist(name) if value.strip()]:
            found[name] = values
    if "category" in found:
        found["category"] = category_filter.values(asked)
    return found


def _dates(asked: QueryDict) -> dict[str, str]:
    first, last = str(asked.get("from", "")), str(asked.get("to", ""))
    if first or last:
        both = {"taken_after": first, "taken_before": _day_after(last) if last else ""}
        return {name: day for name, day in both.items() if day}
    on = str(asked.get("on", ""))
    if not on:
        return {}
    span = dates.span(on)
    if span is None:
        raise Refusal("bad_date", _("Give a day, a month or a year, as 2024-05-31 or 2024."), "on")
    return dict(zip(("taken_after", "taken_before"), span, strict=True))


def are_asked_for(request: HttpRequest) -> bool:
    """Whether the panel asks for its fields."""
    return request.GET.get("only") == "filters"


def form(request: HttpRequest, shown: FilterBar) -> HttpResponse:
    """Render the fields alone."""
    return render(request, "gallery/filter_form.html", {"filters": shown})


def bar(request: HttpRequest, fixed: Collection[str] = (), *, is_open: bool = False) -> FilterBar:
    """Return the filter bar of a page. `fixed` are the filters that the list itself sets, named
    as in the API. They are not offered.

    The fields take a quarter of the time of a page, and few readers open the panel. So a page
    contains them only if the panel is open or a filter is active.
    """
    shown = [name for name in NAMES if name not in fixed]
    if request.user.is_anonymous:
        shown = [name for name in shown if name not in _MEMBERS_ONLY]
    chips = list(_chips(request, shown))
    is_open = is_open or are_asked_for(request)
    return FilterBar(
        chips=chips,
        clear=_address(request, without=(*NAMES, category_filter.LIKELY)),
        kept=[(name, str(value)) for name, value in request.GET.items() if name not in _NOT_KEPT],
        later=_address(request, without=(), only="filters"),
        is_open=is_open,
        fields=_fields(request, shown) if is_open or chips else None,
    )


def _fields(request: HttpRequest, shown: list[str]) -> Fields:
    asked = request.GET
    offers = "category" in shown
    on = "" if asked.get("from") or asked.get("to") else str(asked.get("on", ""))
    return Fields(
        shown=shown,
        values={name: _field(name, str(asked.get(name, ""))) for name in shown},
        choices={name: _choices(name, asked, request.user) for name in shown},
        swatches=_swatches(asked.getlist("color")),
        sizes=[
            (_SIZE_NAMES[name], _number(least), _number(most))
            for name, (least, most) in SIZES.items()
        ],
        spans=[(name, label, name == on) for name, label in _spans()],
        span=(on, date_labels.of_span(on)) if on and on not in dict(_spans()) else None,
        categories=category_filter.chosen(asked, request.user) if offers else None,
    )


# `after` and `only` belong to the list with its former filters.
_NOT_KEPT = {*NAMES, category_filter.LIKELY, "after", "only"}


def _chips(request: HttpRequest, shown: list[str]) -> Iterator[Chip]:
    yield from _date_chips(request)
    for name in shown:
        if name in DATES:
            continue
        for value in filter(None, request.GET.getlist(name)):
            label = _label(name, value, request)
            colour = colours.canonical(value) if name == "color" else None
            swatch = colours.swatch(colour) if colour else ""
            yield Chip(label, _address(request, without=[name], value=value), swatch)


def _date_chips(request: HttpRequest) -> Iterator[Chip]:
    """Yield one chip for a year, month, day or moving span, or else one for each end."""
    first, last, on = (str(request.GET.get(name, "")) for name in ("from", "to", "on"))
    if first and last and (span := dates.spanning(first, _next(last))):
        yield Chip(date_labels.of_span(span), _address(request, without=DATES))
        return
    if on and not (first or last):
        yield Chip(date_labels.of_span(on), _address(request, without=["on"]))
    if first:
        label = _("From %(day)s") % {"day": date_labels.readable(first)}
        yield Chip(label, _address(request, without=["from", "on"]))
    if last:
        label = _("Until %(day)s") % {"day": date_labels.readable(last)}
        yield Chip(label, _address(request, without=["to", "on"]))


def _label(name: str, value: str, request: HttpRequest) -> str:
    match name:
        case "album":
            return _("Album: %(title)s") % {"title": _title(value, request.user)}
        case "category":
            return category_filter.label(category_filter.whole(value, request.GET), request.user)
    return filter_labels.label(name, value)


def _address(
    request: HttpRequest, without: Collection[str], value: str | None = None, **more: str
) -> str:
    """Return the address of this list without some filters. With `value`, only this value of
    them is removed."""
    query = request.GET.copy()
    for name in ("after", "only"):
        query.pop(name, None)
    for name in without:
        kept = [one for one in query.getlist(name) if value is not None and one != value]
        query.setlist(name, kept)
    query.update(more)
    return f"{request.path}?{query.urlencode()}" if query.urlencode() else request.path


def _choices(name: str, asked: QueryDict, viewer: Viewer) -> list[tuple[str, Sentence, bool]]:
    chosen = asked.getlist(name)
    offered: Iterable[tuple[str, Sentence]] = filter_labels.CHOICES.get(name, {}).items()
    if name == "album":
        albums = Album.objects.visible_to(viewer).listed().order_by("title", "pk")
        offered = [(str(pk), title) for pk, title in albums.values_list("pk", "title")]
    if name == "tag" and isinstance(viewer, User):
        offered = [(tag, tag) for tag in tags.names_of(viewer)]
    return [(value, label, value in chosen) for value, label in offered]


def _swatches(asked: list[str]) -> list[Swatch]:
    """Return the named colours, then the other colours that the address asks for."""
    chosen = {colour for value in asked if (colour := colours.canonical(value))}
    offered = [*colours.NAMES, *sorted(chosen - colours.NAMES.keys())]
    return [
        Swatch(colour, colours.label(colour), colours.swatch(colour), colour in chosen)
        for colour in offered
    ]


def _spans() -> list[tuple[str, Sentence]]:
    """Return the moving spans to choose from, by name."""
    return [(name, date_labels.of_span(name)) for name in _OFFERED_SPANS]


def _field(name: str, text: str) -> str:
    """Return `text` if the form's field can hold it, else "". Fields for days and numbers accept
    nothing else. A wrong value still has a chip that removes it."""
    if name in ("from", "to"):
        try:
            return date.fromisoformat(text).isoformat()
        except ValueError:
            return ""
    if name in ("size_min", "size_max") and not _NUMBER.fullmatch(text):
        return ""
    return text


def _number(megapixels: float | None) -> str:
    return "" if megapixels is None else f"{megapixels:g}"


def _title(value: str, viewer: Viewer) -> str:
    try:
        album = Album.objects.visible_to(viewer).filter(pk=UUID(value)).first()
    except ValueError:
        album = None
    return album_summaries.name_of(album, viewer) if album else _("unknown")


def _day_after(text: str) -> str:
    after = _next(text)
    if not after:
        raise Refusal("bad_date", _("Give the last day as year-month-day."), "to")
    return after


def _next(text: str) -> str:
    """Return the day after a day, or "" if there is none."""
    try:
        return (date.fromisoformat(text) + timedelta(days=1)).isoformat()
    except (ValueError, OverflowError):
        return ""


@require_safe
def years(request: HttpRequest) -> HttpResponse:
    """Render the years in which pictures that the visitor sees were taken, as choices, the latest
    first. The query reads all of them, so it waits until the fields are open."""
    taken = (
        Image.objects.visible_to(request.user).order_by().values_list(YearOf("taken_at"), flat=True)
    )
    found = {str(year) for year in taken.distinct()}
    chosen = str(request.GET.get("on", ""))
    if re.fullmatch(r"[0-9]{4}", chosen):
        found.add(chosen)
    offered = [(year, year, year == chosen) for year in sorted(found, reverse=True)]
    return render(request, "gallery/filter_years.html", {"years": offered})


@require_safe
def suggestions(request: HttpRequest, field: str) -> HttpResponse:
    """Render the cameras or the owners of all pictures that the visitor sees. The query reads all
    of them, so it waits until the fields are open."""
    visible = Image.objects.visible_to(request.user).order_by().exclude(**{field: ""})
    found = visible.values_list(field, flat=True).distinct()[:_MOST_SUGGESTIONS]
    values = sorted(found, key=str.casefold)
    return render(request, "gallery/filter_suggestions.html", {"values": values})

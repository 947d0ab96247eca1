"""The filter panel of the search page. The query's line holds the filters: the panel shows them,
and a choice in the panel changes the line."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.http import HttpRequest, QueryDict

from gallery.errors import Refusal
from gallery.models import Viewer
from gallery.search.filters import album_names, dates
from gallery.search.query import syntax
from gallery.search.query.query import Query, clean_filter
from gallery.web.lists import filter_labels, filters
from gallery.web.lists.filters import Chip, FilterBar
from gallery.web.searching.composer import address_of

# The panel's days (the last one is included) and their names in a query, where a span is both.
_DAYS = {"from": "taken_after", "to": "taken_before"}
_NOT_OFFERED = {"state"}  # a search finds only encoded pictures


def was_sent(asked: QueryDict) -> bool:
    """Whether an address comes from the panel or from one of its chips."""
    return any(name in asked for name in (*filters.NAMES, "filters"))


def taken_up(asked: QueryDict) -> Query:
    """Return the query of the line in `asked`. The panel's filters replace those of the line.

    Raises Refusal if the last day or the span is no date.
    """
    query = syntax.parse(str(asked.get("q", ""))).query
    own = _names()
    if not _is_id(query.filters.get("album")):
        own -= {"album"}
    kept = {name: value for name, value in query.filters.items() if name not in own}
    chosen = {name: clean_filter(name, value) for name, value in filters.read(asked).items()}
    found = {name: value for name, value in chosen.items() if value is not None}
    return Query(query.terms, {**kept, **found})


def _is_id(album: Any) -> bool:
    """Whether `album` is an id. The panel cannot show a title as chosen: several albums may have
    it."""
    try:
        UUID(str(album))
    except ValueError:
        return False
    return True


def bar(request: HttpRequest, query: Query, *, is_open: bool = False) -> FilterBar:
    """Return the panel of the page of `query`. The rest of the line stays in `q`."""
    asked, left = _as_panel(query, request.user)
    panel = copy.copy(request)
    panel.GET = QueryDict(asked.urlencode())
    is_open = is_open or filters.are_asked_for(request)
    shown = filters.bar(panel, _NOT_OFFERED, is_open=is_open)
    chips = [*shown.chips, *_chips(query, left)]
    return replace(shown, chips=chips, later=f"{address_of(query)}&only=filters")


def _chips(query: Query, left: dict[str, Any]) -> Iterator[Chip]:
    """Yield chips for the filters without a field in the panel, as written in the line."""
    for name, value in left.items():
        is_id = name == "id"  # an id tells people nothing
        line = syntax.format(Query(filters={name: value}))
        label = filter_labels.label(name, "") if is_id else line
        without = {other: kept for other, kept in query.filters.items() if other != name}
        yield Chip(label, address_of(Query(query.terms, without)))


def _names() -> set[str]:
    """Return the filters with a field in the panel, as named in queries."""
    return {*_DAYS.values(), *filters.NAMES} - {*filters.DATES}


def _as_panel(query: Query, viewer: Viewer) -> tuple[QueryDict, dict[str, Any]]:
    """Return the parameters of the panel for these filters, and the filters that it cannot
    show."""
    asked = QueryDict(mutable=True)
    left = dict(query.filters)
    if span := _span(left):
        left = {name: value for name, value in left.items() if name not in _DAYS.values()}
        asked["on"] = span
    for name in filters.NAMES:
        key = _DAYS.get(name, name)
        value = left.get(key)
        if name == "album" and value is not None:
            value = _id_of(str(value), viewer)
        if value is not None:
            del left[key]
            asked.setlist(name, _fields(name, value, viewer))
    asked["q"] = syntax.format(Query(query.terms, left))
    # Without this, an address with no filter would not look like one of the panel.
    asked["filters"] = "1"
    return asked, left


def _span(found: Mapping[str, Any]) -> str | None:
    """Return the year, month, day or moving span of filters; None for other ends."""
    first, after = (found.get(name) for name in _DAYS.values())
    return dates.spanning(first, after) if first and after else None


def _fields(name: str, value: Any, viewer: Viewer) -> list[str]:
    match value:
        case bool():
            return ["true" if value else "false"]
        case list():
            return [str(entry) for entry in value]
    text = f"{value:g}" if isinstance(value, float) else str(value)
    if name in _DAYS:
        # The ends of the panel are days of the calendar.
        text = dates.fixed(text)
    if name == "to":
        text = _day_before(text)
    return [text]


def _day_before(text: str) -> str:
    try:
        return (date.fromisoformat(text) - timedelta(days=1)).isoformat()
    except (ValueError, OverflowError):
        return text


def _id_of(album: str, viewer: Viewer) -> str | None:
    """Return the id of an album that the line names by id or title. Return None if no album or
    several match: the panel shows exactly one."""
    try:
        found = album_names.with_ids({"album": album}, viewer)["album"]
    except Refusal:
        return None
    match found:
        case str():
            return found
        case [only]:
            return str(only)
    return None

"""The filter panel of the search page. The line of the query is where filters are
kept: the panel shows what it says, and what is chosen there goes into it."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, QueryDict

from gallery.errors import Refusal
from gallery.models import User
from gallery.search.filters import album_names
from gallery.search.query import syntax
from gallery.search.query.query import Query, clean_filter
from gallery.web.lists import filter_labels, filters
from gallery.web.lists.filters import Chip, FilterBar
from gallery.web.searching.composer import address_of

Viewer = User | AnonymousUser

# Days of the panel, of which the last one counts, and what they are in a query.
_DAYS = {"from": "taken_after", "to": "taken_before"}
_NOT_OFFERED = {"state"}  # what is found has been encoded


def was_sent(asked: QueryDict) -> bool:
    """Whether an address comes from the panel or a chip of it."""
    return any(name in asked for name in (*filters.NAMES, "filters"))


def taken_up(asked: QueryDict) -> Query:
    """The query of the line in `asked` with the filters beside it instead of its own.

    Raises Refusal for what is no day.
    """
    line = syntax.parse(str(asked.get("q", ""))).query
    own = _names()
    if not _is_id(line.filters.get("album")):
        own -= {"album"}
    kept = {name: value for name, value in line.filters.items() if name not in own}
    chosen = {name: clean_filter(name, value) for name, value in filters.read(asked).items()}
    found = {name: value for name, value in chosen.items() if value is not None}
    return Query(line.terms, {**kept, **found})


def _is_id(album: Any) -> bool:
    """Whether it is one that the panel can show as chosen: a title may mean several."""
    try:
        UUID(str(album))
    except ValueError:
        return False
    return True


def bar(request: HttpRequest, query: Query, *, is_open: bool = False) -> FilterBar:
    """The panel for the page of `query`: what it leaves of the line stays in `q`."""
    asked, left = _as_panel(query, request.user)
    panel = copy.copy(request)
    panel.GET = QueryDict(asked.urlencode())
    is_open = is_open or filters.are_asked_for(request)
    shown = filters.bar(panel, _NOT_OFFERED, is_open=is_open)
    chips = [*shown.chips, *_chips(query, left)]
    return replace(shown, chips=chips, later=f"{address_of(query)}&only=filters")


def _chips(query: Query, left: dict[str, Any]) -> Iterator[Chip]:
    """For what the panel has no field for: as it stands in the line."""
    for name, value in left.items():
        is_id = name == "id"  # which says nothing to anybody
        line = syntax.format(Query(filters={name: value}))
        label = filter_labels.label(name, "") if is_id else line
        without = {other: kept for other, kept in query.filters.items() if other != name}
        yield Chip(label, address_of(Query(query.terms, without)))


def _names() -> set[str]:
    """Filters that the panel has fields for, as queries name them."""
    return {_DAYS.get(name, name) for name in filters.NAMES}


def _as_panel(query: Query, viewer: Viewer) -> tuple[QueryDict, dict[str, Any]]:
    """The address that a list with these filters has, and the filters that it has no
    names for."""
    asked = QueryDict(mutable=True)
    left = dict(query.filters)
    for name in filters.NAMES:
        key = _DAYS.get(name, name)
        value = left.get(key)
        if name == "album" and value is not None:
            value = _id_of(str(value), viewer)
        if value is not None:
            del left[key]
            asked.setlist(name, _fields(name, value, viewer))
    asked["q"] = syntax.format(Query(query.terms, left))
    # Without any filter left, the address still says that the panel spoke.
    asked["filters"] = "1"
    return asked, left


def _fields(name: str, value: Any, viewer: Viewer) -> list[str]:
    match value:
        case bool():
            return ["true" if value else "false"]
        case list():
            return [str(entry) for entry in value]
    text = f"{value:g}" if isinstance(value, float) else str(value)
    if name == "to":
        text = _day_before(text)
    return [text]


def _day_before(text: str) -> str:
    try:
        return (date.fromisoformat(text) - timedelta(days=1)).isoformat()
    except (ValueError, OverflowError):
        return text


def _id_of(album: str, viewer: Viewer) -> str | None:
    """The id of the album, which the line may call by its title: the panel chooses one.
    None where that is no album or several."""
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

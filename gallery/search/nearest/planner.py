"""Nearest pictures by cosine, in SQL: exact for small scopes, by an index for others."""

from __future__ import annotations

import math
from dataclasses import dataclass
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db.models import QuerySet

from gallery.encoders.base import Vectors
from gallery.models import EmbeddingSpace, Image
from gallery.search.nearest import sample, scans
from gallery.search.nearest.scans import Kind, Rows, Scope
from gallery.search.nearest.scope_size import SLACK, Size, measured
from gallery.search.nearest.text_scan import near_text


@dataclass(frozen=True)
class Ranking:
    """Pictures by descending cosine; ties by id. `exact`: no nearer picture is missing.
    `complete`: the scope has no further pictures. Without a query vector the scores are None."""

    ids: list[UUID]
    scores: list[float] | list[None]
    exact: bool
    complete: bool


def nearest(
    space: EmbeddingSpace, vector: Vectors, scope: QuerySet[Image] | Scope, window: int, kind: Kind
) -> Ranking:
    """Return the `window` pictures of `scope` nearest to the unit vector (d,).

    A bounded count of the scope decides how. The cost of an exact search grows with the scope,
    the cost of the index with the share of its entries that are outside the scope. If the index
    finds fewer than `window` pictures, the scope is compared one by one.
    """
    try:
        searched = scope if isinstance(scope, Scope) else Scope.from_images(scope)
    except EmptyResultSet:
        return Ranking([], [], exact=True, complete=True)
    is_few = False
    # The index cannot fill larger windows in one scan.
    if window <= scans.MAX_EF_SEARCH:
        size = measured(space, searched, window)
        is_few = size.is_known
        if not size.is_small:
            rows = by_index(space, vector, searched, window, kind, size)
            if len(rows) >= window:
                return _ranking(rows[:window], exact=False, complete=False)
    rows = scans.one_by_one(space, vector, searched, window + 1, few=is_few)
    return _ranking(rows[:window], exact=True, complete=len(rows) <= window)


def by_index(
    space: EmbeddingSpace, vector: Vectors, scope: Scope, window: int, kind: Kind, size: Size
) -> Rows:
    """Return (image id, distance) of pictures of the scope near the unit vector (d,), nearest
    first. There are fewer than `window` if the index does not find enough, and none if comparing
    the whole scope is cheaper."""
    if size.lists:
        probes = size.probes(window, kind)
        if size.is_cheaper_than(probes):
            return []
        return scans.in_lists(space, vector, scope, window, probes)

    drawn = sample.sample_of(space) if kind == "text" else None
    ample = math.ceil(SLACK[kind] * window)

    def read(entries: int) -> Rows:
        if drawn is None:
            return scans.along(space, vector, scope, ample, entries)
        return near_text(space, vector, scope, window, entries, drawn)

    entries = size.entries(window, kind)
    rows = read(entries)
    # The scope is large but was not counted to its end, or has few pictures near the query.
    if not size.is_known and len(rows) < ample and entries < scans.MAX_EF_SEARCH:
        rows = read(scans.MAX_EF_SEARCH)
    return rows


def _ranking(rows: Rows, *, exact: bool, complete: bool) -> Ranking:
    return Ranking(
        ids=[image_id for image_id, _ in rows],
        scores=[min(max(1.0 - distance, -1.0), 1.0) for _, distance in rows],
        exact=exact,
        complete=complete,
    )

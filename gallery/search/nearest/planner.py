"""Nearest pictures by cosine, in SQL: exact for small scopes, by an index otherwise."""

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
    """Pictures by falling cosine; ties by id. `exact` says that nothing nearer was
    missed, `complete` that no picture of the scope comes after. Without a query vector
    there are no scores."""

    ids: list[UUID]
    scores: list[float] | list[None]
    exact: bool
    complete: bool


def nearest(
    space: EmbeddingSpace, vector: Vectors, scope: QuerySet[Image] | Scope, window: int, kind: Kind
) -> Ranking:
    """The `window` pictures of `scope` nearest to the unit vector (d,).

    A bounded count of the scope decides: an exact search costs by the scope's size, the
    index by how many of its entries the scope hides. Where the index leads to too few of
    them, they are compared one by one after all.
    """
    try:
        searched = scope if isinstance(scope, Scope) else Scope.from_images(scope)
    except EmptyResultSet:
        return Ranking([], [], exact=True, complete=True)
    is_few = False
    # Larger windows than the index can fill at once are read exactly.
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
    """(image id, distance) of pictures of a scope of `size` near the unit vector (d,), nearest
    first: fewer than `window` where the index does not lead to enough of them."""
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
    # Large, but how large is not known, or not around the query: it is read further.
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

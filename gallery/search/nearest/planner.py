"""Nearest pictures by cosine, in SQL: exact for small scopes, in lists for others."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db.models import QuerySet

from gallery.encoders.base import Vectors
from gallery.models import EmbeddingSpace, Image
from gallery.search.nearest import scans
from gallery.search.nearest.scans import Kind, Rows, Scope
from gallery.search.nearest.scope_size import measured


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
    the cost of lists with the share of their entries that are outside the scope. If the lists
    contain fewer than `window` pictures, or there are no lists (yet), the scope is compared one by
    one.
    """
    try:
        searched = scope if isinstance(scope, Scope) else Scope.from_images(scope)
    except EmptyResultSet:
        return Ranking([], [], exact=True, complete=True)
    is_few = False
    if window <= scans.LARGEST_WINDOW:
        size = measured(space, searched)
        is_few = size.is_known
        if not size.is_small and size.lists:
            probes = size.probes(window, kind)
            if not size.is_cheaper_than(probes):
                rows = scans.in_lists(space, vector, searched, window, probes)
                if len(rows) >= window:
                    return _ranking(rows, exact=False, complete=False)
    rows = scans.one_by_one(space, vector, searched, window + 1, few=is_few)
    return _ranking(rows[:window], exact=True, complete=len(rows) <= window)


def _ranking(rows: Rows, *, exact: bool, complete: bool) -> Ranking:
    return Ranking(
        ids=[image_id for image_id, _ in rows],
        scores=[min(max(1.0 - distance, -1.0), 1.0) for _, distance in rows],
        exact=exact,
        complete=complete,
    )

"""Nearest pictures by cosine, in SQL: exact for small scopes, HNSW otherwise."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

import numpy as np
from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

from gallery.encoders.base import Vectors
from gallery.indexing.spaces import index_name
from gallery.models import EmbeddingSpace, Image
from gallery.search import sample, scans
from gallery.search.scans import Rows, Scope
from gallery.search.text_scan import USUAL, near_text

Kind = Literal["text", "image"]

# So many entries of the index are read. Texts lie further from pictures than pictures from
# each other, and must be sought more widely (docs/decisions/0014).
ENTRIES: dict[Kind, int] = {"text": 400, "image": 150}
# For pictures more in libraries larger than USUAL, by this power of their size; for texts
# the index is read in more places (gallery.search.text_scan).
GROWTH: dict[Kind, float] = {"text": 0.0, "image": 0.3}
# Scopes up to this size are compared one by one however small the library is.
ALWAYS_EXACT = 2_000
# What an entry of the index costs beside a picture that is compared one by one.
INDEX_COST = 1.5
# Scopes are counted to this many times the largest that is small: of those, the index is
# read at once as far as their share of it demands.
COUNT_ON = 4
# So much more than the mean, since chance varies, and recall with it.
SLACK: dict[Kind, float] = {"text": 2.0, "image": 1.5}
# How long an iterative scan goes on, as a share of the scope: one that lies elsewhere than
# the query is compared one by one then, and this much was lost.
PATIENCE = 0.5
# The first pictures that such a scan meets are not the nearest: a twelfth of what it may
# read is to be met.
MET = 12
# Which plan is the faster one changes slowly, and both are right.
SIZE_TTL_SECONDS = 60


@dataclass(frozen=True)
class Ranking:
    """Pictures by falling cosine; ties by id. `exact` says that nothing nearer was
    missed, `complete` that no picture of the scope comes after. Without a query vector
    there are no scores."""

    ids: list[UUID]
    scores: list[float] | list[None]
    exact: bool
    complete: bool


@dataclass(frozen=True)
class Size:
    """How many pictures a scope has, counted no further than COUNT_ON times `bound`: the
    size up to which it is small. `indexed` are the entries of the whole index."""

    counted: int
    bound: int
    indexed: int

    @property
    def is_small(self) -> bool:
        return self.counted <= self.bound

    @property
    def is_known(self) -> bool:
        return self.counted < COUNT_ON * self.bound

    def entries(self, window: int, kind: Kind) -> int:
        """So many of the index are to be read: for recall, and so that they are likely to
        hold `window` of the scope's pictures. Of a scope that was not counted to its end
        that is less than what recall needs."""
        grown = ENTRIES[kind] * max(self.indexed / USUAL, 1.0) ** GROWTH[kind]
        demanded = (
            SLACK[kind] * window * self.indexed / max(self.counted, 1) if self.is_known else 0
        )
        return min(max(int(grown), window, int(demanded)), scans.MAX_EF_SEARCH)


def nearest(
    space: EmbeddingSpace, vector: Vectors, scope: QuerySet[Image] | Scope, window: int, kind: Kind
) -> Ranking:
    """The `window` pictures of `scope` nearest to the unit vector (d,).

    A bounded count of the scope decides: an exact search costs by the scope's size, the
    index by how many of its entries the scope hides.
    """
    try:
        searched = scope if isinstance(scope, Scope) else Scope.of(scope)
    except EmptyResultSet:
        return Ranking([], [], exact=True, complete=True)
    # Larger windows than the index can fill at once are read exactly.
    if window <= scans.MAX_EF_SEARCH:
        size = measured(space, searched, window)
        if not size.is_small:
            rows = by_index(space, vector, searched, window, kind, size)
            if len(rows) >= window:
                return _ranking(rows[:window], exact=False, complete=False)
    rows = scans.one_by_one(space, vector, searched, window + 1)
    return _ranking(rows[:window], exact=True, complete=len(rows) <= window)


def by_index(
    space: EmbeddingSpace, vector: Vectors, scope: Scope, window: int, kind: Kind, size: Size
) -> Rows:
    """(image id, distance) of pictures of a scope of `size` near the unit vector (d,), nearest
    first: fewer than `window` where the index does not lead to enough of them."""
    drawn = sample.of(space) if kind == "text" else None
    ample = math.ceil(SLACK[kind] * window)

    def read(entries: int) -> Rows:
        if drawn is None:
            return scans.along(space, vector, scope, ample, entries)
        return near_text(space, vector, scope, window, entries, drawn)

    entries = size.entries(window, kind)
    rows = read(entries)
    if size.is_known:
        return rows
    # Large, but how large is not known, or not around the query: it is read on.
    if len(rows) < ample and entries < scans.MAX_EF_SEARCH:
        rows = read(scans.MAX_EF_SEARCH)
    if len(rows) >= window:
        return rows
    patience = max(int(PATIENCE * size.counted), scans.MAX_EF_SEARCH)
    enough = max(window, patience // MET)
    met = scans.along(space, vector, scope, enough, patience)
    return met if len(met) >= enough else []


def measured(space: EmbeddingSpace, scope: Scope, window: int) -> Size:
    """Kept for a while. Where n of N pictures are in the scope, the index is read for
    about window·N/n entries: with n = √(window·N) that is as many as there are pictures
    to compare one by one."""
    limit = settings.EXACT_SEARCH_LIMIT
    asked = repr((space.pk, window, limit, scope))
    key = f"scope-size:{hashlib.sha256(asked.encode()).hexdigest()}"
    kept = cache.get(key)
    if kept is None:
        kept = _counted(space, scope, window, limit)
        cache.set(key, kept, SIZE_TTL_SECONDS)
    return Size(*kept)


def _counted(space: EmbeddingSpace, scope: Scope, window: int, limit: int) -> Sequence[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE relname = %s", [index_name(space)])
        indexed = max(int((cursor.fetchone() or (0,))[0]), 0)  # -1: never counted
        crossover = int((INDEX_COST * window * indexed) ** 0.5)
        bound = min(limit, max(ALWAYS_EXACT, crossover))
        most = COUNT_ON * bound
        cursor.execute(f"SELECT count(*) FROM ({scope.sql} LIMIT {most}) AS bounded", scope.params)  # noqa: S608
        return cursor.fetchone()[0], bound, indexed


def _ranking(rows: Rows, *, exact: bool, complete: bool) -> Ranking:
    return Ranking(
        ids=[image_id for image_id, _ in rows],
        scores=[float(np.clip(1.0 - distance, -1.0, 1.0)) for _, distance in rows],
        exact=exact,
        complete=complete,
    )

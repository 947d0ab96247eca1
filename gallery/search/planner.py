"""Nearest pictures by cosine, in SQL: exact for small scopes, by an index otherwise."""

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
from gallery.indexing.vector_indexes import indexed
from gallery.models import EmbeddingSpace, Image
from gallery.search import sample, scans
from gallery.search.scans import Rows, Scope
from gallery.search.text_scan import near_text

Kind = Literal["text", "image"]

# So many entries of the graph are read. Texts lie further from pictures than pictures from
# each other, and must be sought more widely (docs/decisions/0014).
ENTRIES: dict[Kind, int] = {"text": 400, "image": 150}
# Of lists so many entries, each of which costs a fraction of one of the graph; in libraries
# larger than USUAL more by this power of their size (docs/decisions/0020).
USUAL = 100_000
LISTED: dict[Kind, int] = {"text": 4_800, "image": 1_200}
GROWTH: dict[Kind, float] = {"text": 0.1, "image": 0.2}
# The nearest of a thin scope are not among the nearest of all: more by this power of how
# thin it is.
THIN = 0.3
# A scope that lies all over the library has its share of what is read. A thin one of which
# less than this part of that is met lies elsewhere; more than some windows need not be met.
WIDE, MET, MET_WINDOWS = 0.3, 0.7, 10
# Scopes that were not counted to their end have the share that they have of so many of the
# sample, which is known to a tenth for a share of a tenth.
ASKED = 1_000
# Scopes up to this size are compared one by one however small the library is.
ALWAYS_EXACT = 2_000
# What an entry of the index costs beside a picture that is compared one by one.
INDEX_COST = 1.5
# Scopes are counted to this many times the largest that is small: of those, the index is
# read at once as far as their share of it demands.
COUNT_ON = 4
# So much more than the mean, since chance varies, and recall with it.
SLACK: dict[Kind, float] = {"text": 2.0, "image": 1.5}
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
    size up to which it is small. `indexed` are the entries of the whole index, which also
    lie in so many `lists`; `pictures` is about how many the scope has, however many."""

    counted: int
    bound: int
    indexed: int
    lists: int = 0
    pictures: int = 0

    @property
    def is_small(self) -> bool:
        return self.counted <= self.bound

    @property
    def is_known(self) -> bool:
        return self.counted < COUNT_ON * self.bound

    def entries(self, window: int, kind: Kind) -> int:
        """So many of the graph are to be read: for recall, and so that they are likely to
        hold `window` of the scope's pictures. Of a scope that was not counted to its end
        that is less than what recall needs."""
        demanded = (
            SLACK[kind] * window * self.indexed / max(self.counted, 1) if self.is_known else 0
        )
        return min(max(ENTRIES[kind], window, int(demanded)), scans.MAX_EF_SEARCH)

    def probes(self, window: int, kind: Kind) -> int:
        """In so many of the lists to read, for the same."""
        grown = LISTED[kind] * max(self.indexed / USUAL, 1.0) ** GROWTH[kind]
        wanted = max(grown * self._share**-THIN, SLACK[kind] * window / self._share)
        return min(math.ceil(wanted * self.lists / max(self.indexed, 1)), self.lists)

    def met(self, window: int, probes: int) -> int:
        """So many of the scope are met in as many lists, unless it lies elsewhere."""
        if self._share > WIDE:
            return window
        due = MET * self._share * self.indexed * probes / self.lists
        return max(window, min(int(due), MET_WINDOWS * window))

    @property
    def _share(self) -> float:
        pictures = max(self.pictures, self.counted, 1)
        return min(pictures / max(self.indexed, 1), 1.0)


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
    # Of thin scopes that are counted to their end the graph finds more.
    if size.lists and not size.is_known:
        probes = size.probes(window, kind)
        enough = size.met(window, probes)
        rows = scans.in_lists(space, vector, scope, enough, probes)
        return rows if len(rows) >= enough else []

    drawn = sample.of(space) if kind == "text" else None
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
    held = indexed(space)
    crossover = int((INDEX_COST * window * held.vectors) ** 0.5)
    bound = min(limit, max(ALWAYS_EXACT, crossover))
    most = COUNT_ON * bound
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM ({scope.sql} LIMIT {most}) AS bounded", scope.params)  # noqa: S608
        counted = cursor.fetchone()[0]
    pictures = counted if counted < most else _estimated(space, scope, held.vectors)
    return counted, bound, held.vectors, held.lists, pictures


def _estimated(space: EmbeddingSpace, scope: Scope, indexed: int) -> int:
    drawn = sample.of(space)
    if drawn is None:
        return 0
    asked = drawn.ids[:ASKED]
    return len(scans.among(scope, asked)) * indexed // len(asked)


def _ranking(rows: Rows, *, exact: bool, complete: bool) -> Ranking:
    return Ranking(
        ids=[image_id for image_id, _ in rows],
        scores=[float(np.clip(1.0 - distance, -1.0, 1.0)) for _, distance in rows],
        exact=exact,
        complete=complete,
    )

"""Nearest pictures by cosine, in SQL: exact for small scopes, HNSW otherwise."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

import numpy as np
from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

from gallery.encoders.base import Vectors, l2_normalise
from gallery.indexing.spaces import index_name
from gallery.models import EmbeddingSpace, Image
from gallery.search import sample
from gallery.search.sample import Sample

Kind = Literal["text", "image"]

# So many entries of an index of USUAL are read. Texts lie further from pictures than
# pictures from each other, and must be sought more widely (docs/decisions/0014): the
# more so the larger the library, by these powers of its size.
ENTRIES: dict[Kind, int] = {"text": 400, "image": 150}
USUAL = 100_000
GROWTH: dict[Kind, float] = {"text": 1.0, "image": 0.5}
# How far a text is turned toward the centre of the pictures, and how many pictures are
# then compared with the text itself, in windows.
TURN, COMPARED = 0.3, 3
# Of a sample, what is nearer than so many of what that finds must be among it.
SURE = 20
# By so much scores of the sample and the database's may differ.
ROUNDING = 1e-4
# pgvector's upper bound of hnsw.ef_search: more is read part by part. Larger windows are
# read exactly.
MAX_EF_SEARCH = 1000
# Memory of such a reading, in times of PostgreSQL's work_mem, and the share of what it
# reads that is compared with a text.
READING_MEMORY, READ_COMPARED = 4, 0.5
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

Rows = list[tuple[UUID, float]]


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
class Scope:
    """Ids of pictures as a statement, compiled once for all that is asked of it."""

    sql: str
    params: tuple[Any, ...]

    @classmethod
    def of(cls, images: QuerySet[Image]) -> Scope:
        """Raises EmptyResultSet for a queryset that Django knows to be empty."""
        return cls(*images.order_by().values("pk").query.sql_with_params())


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
        return max(int(grown), window, min(int(demanded), MAX_EF_SEARCH))


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
    if window > MAX_EF_SEARCH:
        return _exact(space, vector, searched, window)
    size = _size(space, searched, window)
    if size.is_small:
        return _exact(space, vector, searched, window)
    entries = size.entries(window, kind)
    drawn = sample.of(space) if kind == "text" else None
    if drawn is None:
        rows = by_index(space, vector, searched, window, entries)
    else:
        rows = _near_text(space, vector, searched, window, entries, drawn)
    if len(rows) < window and not size.is_known:
        # Large, but not around the query: read on for a while.
        patience = max(int(PATIENCE * size.counted), MAX_EF_SEARCH)
        enough = max(window, patience // MET)
        met = by_index(space, vector, searched, enough, patience)
        rows = met[:window] if len(met) >= enough else []
    if len(rows) < window:
        return _exact(space, vector, searched, window)
    return _ranking(rows[:window], exact=False, complete=False)


def by_index(
    space: EmbeddingSpace,
    vector: Vectors,
    scope: Scope,
    window: int,
    entries: int,
    *,
    toward: Vectors | None = None,
    explain: bool = False,
) -> Rows:
    """(image id, distance) as the HNSW index finds them, nearest first, about `window`; or
    its plan. About `entries` of it are read, for `toward` where that is another direction
    than `vector`: then several windows of those are compared."""
    ef_search = min(entries, MAX_EF_SEARCH)
    reads_on = entries > MAX_EF_SEARCH
    count, direction = window, vector
    if toward is not None:
        count, direction = COMPARED * window, toward
        if reads_on:
            count = max(count, int(READ_COMPARED * entries))
    # One message, which is one transaction: the settings end with it.
    statements = [
        f"SET LOCAL hnsw.ef_search = {ef_search}",
        f"SET LOCAL hnsw.iterative_scan = {'relaxed_order' if reads_on else 'off'}",
        f"SET LOCAL hnsw.max_scan_tuples = {entries}",
        f"SET LOCAL hnsw.scan_mem_multiplier = {READING_MEMORY if reads_on else 1}",
        # It has been decided: PostgreSQL is not to compare the scope one by one.
        "SET LOCAL enable_sort = off",
        # Ordered by the distance alone, since any second key would make the index useless.
        f"{'EXPLAIN ' if explain else ''}{_distances(space, scope)}"
        f" ORDER BY {_vector(space)} <=> %s::halfvec({space.dimensions:d}) LIMIT {count}",
    ]
    params = [_literal(vector), *scope.params, _literal(direction)]
    found = _rows("; ".join(statements), params)
    return found if explain else sorted(found, key=_by_distance)


def _near_text(
    space: EmbeddingSpace,
    vector: Vectors,
    scope: Scope,
    window: int,
    entries: int,
    drawn: Sample,
) -> Rows:
    """As `by_index`, for a text.

    Texts lie beside the cone of the pictures (Liang et al. 2022, "Mind the gap"), and a
    graph of pictures leads some of them into a wrong corner: few, but those find nothing.
    So the graph is read from a little nearer to the pictures. Where that misses a picture
    of a random sample, it is read again toward that one.
    """
    nearer = _turned(vector, TURN * drawn.centre)
    rows = by_index(space, vector, scope, window, entries, toward=nearer)
    if len(rows) < window:
        return rows
    missed = _missed(rows, vector, scope, drawn)
    if missed is None:
        return rows
    again = by_index(space, vector, scope, window, entries, toward=_turned(vector, missed))
    return sorted({*rows, *again}, key=_by_distance)


def _missed(rows: Rows, vector: Vectors, scope: Scope, drawn: Sample) -> Vectors | None:
    """The vector of the best picture of the sample that should be among `rows`."""
    scores = drawn.vectors @ vector
    least = 1 - rows[min(SURE, len(rows)) - 1][1] + ROUNDING
    found = {image_id for image_id, _ in rows}
    better = {drawn.ids[n]: n for n in np.flatnonzero(scores > least)}
    missing = list(better.keys() - found)
    if not missing:
        return None
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT pk FROM ({scope.sql}) AS searched WHERE pk = ANY(%s)",  # noqa: S608
            [*scope.params, missing],
        )
        places = [better[pk] for (pk,) in cursor.fetchall()]
    return drawn.vectors[max(places, key=lambda n: scores[n])] if places else None


def _turned(vector: Vectors, toward: Vectors) -> Vectors:
    return l2_normalise((vector + toward)[None])[0]


def _exact(space: EmbeddingSpace, vector: Vectors, scope: Scope, window: int) -> Ranking:
    # OFFSET 0 keeps the planner from the HNSW index, which would be approximate.
    rows = _rows(
        f"SELECT * FROM ({_distances(space, scope)} OFFSET 0) AS compared"  # noqa: S608
        f" ORDER BY distance, image_id LIMIT {window + 1}",
        [_literal(vector), *scope.params],
    )
    return _ranking(rows[:window], exact=True, complete=len(rows) <= window)


def _distances(space: EmbeddingSpace, scope: Scope) -> str:
    return (
        f"SELECT image_id, {_vector(space)} <=> %s::halfvec({space.dimensions:d}) AS distance"  # noqa: S608
        f" FROM gallery_embedding WHERE space_id = {space.pk:d} AND vector IS NOT NULL"
        f" AND image_id IN ({scope.sql})"
    )


def _vector(space: EmbeddingSpace) -> str:
    """With the very cast of the space's index, which wants the literal space, too."""
    return f"vector::halfvec({space.dimensions:d})"


def _literal(vector: Vectors) -> str:
    """As PostgreSQL reads it. Five digits tell all half-precision numbers apart; pgvector's
    own text has all that a double has, and takes five times as long."""
    halves = vector.astype(np.float16).tolist()
    return f"[{','.join(['%.5g'] * len(halves))}]" % tuple(halves)


def _rows(sql: str, params: Sequence[Any]) -> Rows:
    """Of all statements that answer."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        rows: Rows = []
        while True:
            if cursor.description:
                rows += cursor.fetchall()
            if not cursor.nextset():
                return rows


def _size(space: EmbeddingSpace, scope: Scope, window: int) -> Size:
    """Kept for a while. Where n of N pictures are in the scope, the index is read for
    about window·N/n entries: with n = √(window·N) that is as many as there are pictures
    to compare one by one."""
    limit = settings.EXACT_SEARCH_LIMIT
    asked = repr((space.pk, window, limit, scope))
    key = f"scope-size:{hashlib.sha256(asked.encode()).hexdigest()}"
    kept = cache.get(key)
    if kept is None:
        kept = _measured(space, scope, window, limit)
        cache.set(key, kept, SIZE_TTL_SECONDS)
    return Size(*kept)


def _measured(space: EmbeddingSpace, scope: Scope, window: int, limit: int) -> Sequence[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE relname = %s", [index_name(space)])
        indexed = max(int((cursor.fetchone() or (0,))[0]), 0)  # -1: never counted
        crossover = int((INDEX_COST * window * indexed) ** 0.5)
        bound = min(limit, max(ALWAYS_EXACT, crossover))
        most = COUNT_ON * bound
        cursor.execute(f"SELECT count(*) FROM ({scope.sql} LIMIT {most}) AS bounded", scope.params)  # noqa: S608
        return cursor.fetchone()[0], bound, indexed


def _ranking(rows: Rows, *, exact: bool, complete: bool) -> Ranking:
    ordered = sorted(rows, key=_by_distance)
    return Ranking(
        ids=[image_id for image_id, _ in ordered],
        scores=[float(np.clip(1.0 - distance, -1.0, 1.0)) for _, distance in ordered],
        exact=exact,
        complete=complete,
    )


def _by_distance(row: tuple[UUID, float]) -> tuple[float, UUID]:
    return row[1], row[0]

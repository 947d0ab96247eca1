"""How pictures of a scope are read by distance: along the graph, in lists, or all of them.

Rows are (image id, cosine distance). What is read how far is decided by the planner.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

import numpy as np
from django.db import connection
from django.db.models import QuerySet
from pgvector import HalfVector

from gallery import prepared
from gallery.encoders.base import Vectors
from gallery.models import EmbeddingSpace, Image

# pgvector's upper bound of hnsw.ef_search.
MAX_EF_SEARCH = 1000

# What is looked for: pictures that show what a text says, or that look like a picture.
Kind = Literal["text", "image"]
Rows = list[tuple[UUID, float]]


@dataclass(frozen=True)
class Scope:
    """Ids of pictures as a statement, compiled once for all that is asked of it.
    `is_whole`: it is all that somebody may see, whose best plan is the same whatever the
    parameters are. Not so of filters, which leave much or little."""

    sql: str
    params: tuple[Any, ...]
    is_whole: bool = False

    @classmethod
    def from_images(cls, images: QuerySet[Image]) -> Scope:
        """Raises EmptyResultSet for a queryset that Django knows to be empty."""
        return cls(*images.order_by().values("pk").query.sql_with_params())


def along(
    space: EmbeddingSpace,
    vector: Vectors,
    scope: Scope,
    count: int,
    entries: int,
    *,
    toward: Vectors | None = None,
    explain: bool = False,
) -> Rows:
    """Up to `count` pictures near the unit vector (d,) as the graph (HNSW) finds them,
    nearest first; or its plan. Up to MAX_EF_SEARCH `entries` of it are read, for `toward`
    where that is another direction than `vector`."""
    reading = {"hnsw.ef_search": entries, "hnsw.iterative_scan": "off"}
    direction = vector if toward is None else toward
    return _ordered(space, vector, scope, count, reading, "<=>", direction, explain)


def in_lists(
    space: EmbeddingSpace,
    vector: Vectors,
    scope: Scope,
    count: int,
    lists: int,
    *,
    explain: bool = False,
) -> Rows:
    """The `count` nearest to the unit vector (d,), nearest first, of the pictures in so many
    `lists` (IVFFlat), those whose middles are nearest; or the plan."""
    reading = {"ivfflat.probes": lists, "ivfflat.iterative_scan": "off"}
    return _ordered(space, vector, scope, count, reading, "<#>", vector, explain)


def one_by_one(
    space: EmbeddingSpace, vector: Vectors, scope: Scope, count: int, *, few: bool = False
) -> Rows:
    """The `count` pictures of the scope nearest to the unit vector (d,), nearest first.
    `few`: it is known to be a small part of a library, or a small one."""
    # As an array PostgreSQL finds their vectors in one sweep of an index; where it has to
    # guess how many they are, it may read all vectors for them.
    held = f"= ANY(ARRAY({scope.sql}))" if few else f"IN ({scope.sql})"
    # OFFSET 0 keeps the planner from the HNSW index, which would be approximate.
    rows = _rows(
        f"SELECT * FROM ({_distances(space)} AND image_id {held} OFFSET 0)"  # noqa: S608
        f" AS compared ORDER BY distance, image_id LIMIT {count}",
        [_literal(vector), *scope.params],
    )
    return sorted(rows, key=by_distance)


def among(scope: Scope, ids: Sequence[UUID]) -> list[UUID]:
    """Those of `ids` that are in the scope."""
    rows = _rows(
        f"SELECT pk FROM ({scope.sql}) AS searched WHERE pk = ANY(%s)",  # noqa: S608
        [*scope.params, list(ids)],
    )
    return [pk for (pk,) in rows]


def by_distance(row: tuple[UUID, float]) -> tuple[float, UUID]:
    """The order of results: nearest first, ties by id."""
    return row[1], row[0]


def _ordered(
    space: EmbeddingSpace,
    vector: Vectors,
    scope: Scope,
    count: int,
    reading: dict[str, object],
    operator: str,
    direction: Vectors,
    explain: bool,
) -> Rows:
    """As the index of that operator orders the scope for `direction`, with its settings
    of `reading`."""
    # Ordered by the distance alone, since any second key would make the index useless.
    statement = (
        f"{'EXPLAIN ' if explain else ''}{_distances(space)} AND image_id IN ({scope.sql})"
        f" ORDER BY {_vector(space)} {operator} %s::halfvec({space.dimensions:d}) LIMIT {count}"
    )
    params = [HalfVector(vector), *scope.params, HalfVector(direction)]
    # It has been decided: PostgreSQL is not to compare the scope one by one.
    settings = {**reading, "enable_sort": "off"}
    found: list[Any] = prepared.rows(statement, params, settings, plan_lasts=scope.is_whole)
    return found if explain else sorted(found, key=by_distance)


def _distances(space: EmbeddingSpace) -> str:
    return (
        f"SELECT image_id, {_vector(space)} <=> %s::halfvec({space.dimensions:d}) AS distance"  # noqa: S608
        f" FROM gallery_embedding WHERE space_id = {space.pk:d}"
    )


def _vector(space: EmbeddingSpace) -> str:
    """With the very cast of the space's index, which wants the literal space, too."""
    return f"vector::halfvec({space.dimensions:d})"


def _literal(vector: Vectors) -> str:
    """As PostgreSQL reads it. Five digits tell all half-precision numbers apart; pgvector's
    own text has all that a double has, and takes five times as long."""
    halves = vector.astype(np.float16).tolist()
    return f"[{','.join(['%.5g'] * len(halves))}]" % tuple(halves)


def _rows(sql: str, params: Sequence[Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()

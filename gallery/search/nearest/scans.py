"""Scans of a scope by distance: in lists (IVFFlat), or one by one.

Rows are (image id, cosine distance). The planner decides which scan runs, and how far.
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

# The most pictures that are looked for in lists.
LARGEST_WINDOW = 1000

# The kind of query: pictures that show what a text says, or that look like a picture.
Kind = Literal["text", "image"]
Rows = list[tuple[UUID, float]]


@dataclass(frozen=True)
class Scope:
    """A statement for the ids of pictures, compiled once for all queries that use it.
    `is_whole`: these are all pictures that a viewer may see. The best plan for them does not
    depend on the parameters. For filters, which leave many pictures or few, it does."""

    sql: str
    params: tuple[Any, ...]
    is_whole: bool = False

    @classmethod
    def from_images(cls, images: QuerySet[Image]) -> Scope:
        """Compile a queryset. Raises EmptyResultSet if Django knows it to be empty."""
        return cls(*images.order_by().values("pk").query.sql_with_params())


def in_lists(
    space: EmbeddingSpace,
    vector: Vectors,
    scope: Scope,
    count: int,
    probes: int,
    *,
    explain: bool = False,
) -> Rows:
    """Return the `count` pictures nearest to the unit vector (d,), nearest first, from the
    `probes` lists (IVFFlat) with the nearest centroids; with `explain` the plan."""
    # The distance is the only key: with a second one PostgreSQL could not use the index.
    statement = (
        f"{'EXPLAIN ' if explain else ''}{_distances(space)} AND image_id IN ({scope.sql})"
        f" ORDER BY {_vector(space)} <#> %s::halfvec({space.dimensions:d}) LIMIT {count}"
    )
    params = [HalfVector(vector), *scope.params, HalfVector(vector)]
    # The planner has chosen the index. Without sorts PostgreSQL does not compare one by one.
    settings = {"ivfflat.probes": probes, "ivfflat.iterative_scan": "off", "enable_sort": "off"}
    found: list[Any] = prepared.rows(statement, params, settings, plan_lasts=scope.is_whole)
    return found if explain else sorted(found, key=by_distance)


def one_by_one(
    space: EmbeddingSpace, vector: Vectors, scope: Scope, count: int, *, few: bool = False
) -> Rows:
    """Return the `count` pictures of the scope nearest to the unit vector (d,), nearest first.
    `few`: the scope is known to be small, or a small part of the library."""
    # With an array of ids PostgreSQL finds the vectors in one index scan. With a subquery it
    # estimates the number of ids and may read all vectors.
    held = f"= ANY(ARRAY({scope.sql}))" if few else f"IN ({scope.sql})"
    # OFFSET 0 keeps PostgreSQL from using the vector index, which is approximate.
    rows = _rows(
        f"SELECT * FROM ({_distances(space)} AND image_id {held} OFFSET 0)"  # noqa: S608
        f" AS compared ORDER BY distance, image_id LIMIT {count}",
        [_literal(vector), *scope.params],
    )
    return sorted(rows, key=by_distance)


def among(scope: Scope, ids: Sequence[UUID]) -> list[UUID]:
    """Return those of `ids` that are in the scope."""
    rows = _rows(
        f"SELECT pk FROM ({scope.sql}) AS searched WHERE pk = ANY(%s)",  # noqa: S608
        [*scope.params, list(ids)],
    )
    return [pk for (pk,) in rows]


def by_distance(row: tuple[UUID, float]) -> tuple[float, UUID]:
    """Return the sort key of results: nearest first, ties by id."""
    return row[1], row[0]


def _distances(space: EmbeddingSpace) -> str:
    return (
        f"SELECT image_id, {_vector(space)} <=> %s::halfvec({space.dimensions:d}) AS distance"  # noqa: S608
        f" FROM gallery_embedding WHERE space_id = {space.pk:d}"
    )


def _vector(space: EmbeddingSpace) -> str:
    """Return the column with the cast of the space's index. The index is partial, so the space
    is a literal in the statement, too."""
    return f"vector::halfvec({space.dimensions:d})"


def _literal(vector: Vectors) -> str:
    """Return the vector as text for PostgreSQL. Five digits distinguish all half-precision
    numbers. pgvector's own text has all digits of a double and takes five times as long."""
    halves = vector.astype(np.float16).tolist()
    return f"[{','.join(['%.5g'] * len(halves))}]" % tuple(halves)


def _rows(sql: str, params: Sequence[Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()

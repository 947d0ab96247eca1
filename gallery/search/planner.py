"""Nearest pictures by cosine, in SQL: exact for small scopes, HNSW otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

import numpy as np
from django.conf import settings
from django.db import connection, transaction
from django.db.models import FloatField, QuerySet
from django.db.models.functions import Cast
from pgvector import HalfVector
from pgvector.django import CosineDistance, HalfVectorField

from gallery.encoders.base import Vectors
from gallery.models import Embedding, EmbeddingSpace, Image

Kind = Literal["text", "image"]

# Texts lie further from pictures than pictures from each other: at the same
# ef_search their recall is lower (design: .95 against .98 at 100).
EF_SEARCH: dict[Kind, int] = {"text": 400, "image": 250}
# pgvector's upper bound of hnsw.ef_search; larger windows are read exactly.
MAX_EF_SEARCH = 1000
# How far an iterative scan goes on for a filter that hides most of the library.
MAX_SCAN_TUPLES = 100_000


@dataclass(frozen=True)
class Ranking:
    """Pictures by falling cosine; ties by id. `exact` says that nothing nearer was
    missed, `complete` that no picture of the scope comes after."""

    ids: list[UUID]
    scores: list[float]
    exact: bool
    complete: bool


def nearest(
    space: EmbeddingSpace, vector: Vectors, scope: QuerySet[Image], window: int, kind: Kind
) -> Ranking:
    """The `window` pictures of `scope` nearest to the unit vector (d,).

    A bounded count of the scope decides: an exact scan costs by the scope's
    size, the index by how many of its entries the scope hides.
    """
    limit = settings.EXACT_SEARCH_LIMIT
    scope_size = scope.order_by()[: limit + 1].count()
    if scope_size <= limit or window > MAX_EF_SEARCH:
        return _exact(space, vector, scope, window)
    ranking = _approximate(space, vector, scope, window, kind)
    # The graph ran dry before the window was full: the scope is sparse after all.
    return ranking if len(ranking.ids) == window else _exact(space, vector, scope, window)


def _exact(space: EmbeddingSpace, vector: Vectors, scope: QuerySet[Image], window: int) -> Ranking:
    distance = _distance(space, vector)
    # `+ 0` keeps the planner from the HNSW index, which would be approximate.
    candidates = _entries(space, scope).order_by(distance + 0.0, "image_id")
    rows = list(candidates.values_list("image_id", distance)[: window + 1])
    return _ranking(rows[:window], exact=True, complete=len(rows) <= window)


def _approximate(
    space: EmbeddingSpace, vector: Vectors, scope: QuerySet[Image], window: int, kind: Kind
) -> Ranking:
    candidates = by_index(space, vector, scope)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('hnsw.ef_search', %s, true),"
            " set_config('hnsw.iterative_scan', 'relaxed_order', true),"
            " set_config('hnsw.max_scan_tuples', %s, true)",
            [str(max(EF_SEARCH[kind], window)), str(MAX_SCAN_TUPLES)],
        )
        rows = list(candidates[:window])
    return _ranking(rows, exact=False, complete=False)


def by_index(
    space: EmbeddingSpace, vector: Vectors, scope: QuerySet[Image]
) -> QuerySet[Embedding, tuple[UUID, float]]:
    """(image id, distance), nearest first, in the form that the HNSW index serves:
    ordered by the distance alone, since any second key would make it useless."""
    distance = _distance(space, vector)
    return _entries(space, scope).order_by(distance).values_list("image_id", distance)


def _entries(space: EmbeddingSpace, scope: QuerySet[Image]) -> QuerySet[Embedding]:
    return Embedding.objects.filter(
        space_id=space.pk, vector__isnull=False, image__in=scope.order_by()
    )


def _distance(space: EmbeddingSpace, vector: Vectors) -> CosineDistance:
    """The very expression of the space's index."""
    cast = Cast("vector", HalfVectorField(dimensions=space.dimensions))
    return CosineDistance(cast, HalfVector(vector), output_field=FloatField())


def _ranking(rows: list[tuple[UUID, float]], *, exact: bool, complete: bool) -> Ranking:
    ordered = sorted(rows, key=lambda row: (row[1], row[0]))
    return Ranking(
        ids=[image_id for image_id, _ in ordered],
        scores=[float(np.clip(1.0 - distance, -1.0, 1.0)) for _, distance in ordered],
        exact=exact,
        complete=complete,
    )

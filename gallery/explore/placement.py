"""Places pictures that the layout did not know on the map, among their nearest neighbours in
meaning."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

import numpy as np
import numpy.typing as npt
from django.db import connection, transaction

from gallery.encoders.base import Vectors
from gallery.explore.layout import Places
from gallery.models import EmbeddingSpace, ExploreMap, MapPoint

NEIGHBOURS = 10
# The scale of cosines: a neighbour whose cosine is lower by this much has the weight 1/e.
TEMPERATURE = 0.03
# The largest jitter of a new point, as a share of the spread of its neighbours.
JITTER = 0.5
# The jitter, as a share of the map, if the neighbours lie in one point.
LEAST_JITTER = 0.0015
# Pictures in one statement and transaction.
BATCH = 100

_MAX_SCAN_TUPLES = 20_000


class Neighbour(NamedTuple):
    x: float
    y: float
    region: int
    cosine: float


def place(image_id: UUID, neighbours: list[Neighbour]) -> tuple[float, float, int]:
    """Return (x, y, region) of a picture from its nearest neighbours, nearest first.

    The place is the mean of the neighbours in the region of the nearest one, weighted by their
    cosines: a mean over two regions would lie in the gap between them. The jitter depends only
    on the id, so that the same picture always gets the same place.
    """
    region = neighbours[0].region
    near = [neighbour for neighbour in neighbours if neighbour.region == region]
    places = np.array([(neighbour.x, neighbour.y) for neighbour in near])
    cosines = np.array([neighbour.cosine for neighbour in near])
    weights = np.exp((cosines - cosines.max()) / TEMPERATURE)
    middle = weights @ places / weights.sum()
    spread = float(np.abs(places - middle).mean())
    radius = max(spread * JITTER, LEAST_JITTER)
    angle, share = _chances(image_id)
    offset = radius * share**0.5 * np.array([np.cos(2 * np.pi * angle), np.sin(2 * np.pi * angle)])
    x, y = np.clip(middle + offset, 0.0, 1.0)
    return float(x), float(y), region


def nearest_of(
    vectors: Vectors, known: Vectors, places: Places, labels: npt.NDArray[np.int64]
) -> list[list[Neighbour]]:
    """For each of `vectors` (n, d), its nearest neighbours among `known` (m, d), with their
    places."""
    cosines = vectors @ known.T
    best = np.argpartition(-cosines, min(NEIGHBOURS, len(known) - 1), axis=1)[:, :NEIGHBOURS]
    found = []
    for row, candidates in zip(cosines, best, strict=True):
        ordered = candidates[np.argsort(-row[candidates], kind="stable")]
        found.append([_neighbour(places[i], labels[i], row[i]) for i in ordered.tolist()])
    return found


def place_new(drawn: ExploreMap, limit: int = 5000) -> int:
    """Place up to `limit` pictures that came after the map was drawn. Return their number.

    Each batch locks the map until it is written: a new map would have other places.
    """
    placed = 0
    while placed < limit:
        with transaction.atomic():
            held = ExploreMap.objects.select_for_update(no_key=True).filter(pk=drawn.pk).first()
            if held is None or held.built_at != drawn.built_at:
                break
            fresh = _unplaced(drawn, BATCH)
            points = [
                MapPoint(map=drawn, image_id=pk, x=x, y=y, cluster_id=region)
                for pk, near in _nearest_by_index(drawn, fresh).items()
                for x, y, region in [place(pk, near)]
            ]
            MapPoint.objects.bulk_create(points, ignore_conflicts=True)
        placed += len(points)
        if len(points) < BATCH:
            break
    return placed


def _unplaced(drawn: ExploreMap, limit: int) -> list[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT entry.image_id FROM gallery_embedding entry"
            " JOIN gallery_image image ON image.id = entry.image_id"
            " WHERE entry.space_id = %s AND image.deleted_at IS NULL"
            " AND NOT EXISTS (SELECT FROM gallery_mappoint point"
            "  WHERE point.map_id = %s AND point.image_id = entry.image_id)"
            " LIMIT %s",
            [drawn.space_id, drawn.pk, limit],
        )
        return [row[0] for row in cursor.fetchall()]


def _nearest_by_index(drawn: ExploreMap, ids: list[UUID]) -> dict[UUID, list[Neighbour]]:
    """The nearest pictures on the map for each of `ids`, through the HNSW index of its space.
    Its settings end with the caller's transaction."""
    space: EmbeddingSpace = drawn.space
    # Exactly the expression and condition of the index (gallery.indexing.vector_indexes). Only
    # literals match it; these are our own numbers.
    cast = f"vector::halfvec({space.dimensions:d})"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('hnsw.ef_search', '80', true),"
            " set_config('hnsw.iterative_scan', 'relaxed_order', true),"
            " set_config('hnsw.max_scan_tuples', %s, true)",
            [str(_MAX_SCAN_TUPLES)],
        )
        cursor.execute(
            "SELECT fresh.image_id, near.x, near.y, near.cluster_id,"  # noqa: S608
            " 1 - near.distance"
            " FROM gallery_embedding fresh CROSS JOIN LATERAL ("
            "  SELECT point.x, point.y, point.cluster_id,"
            f"   entry.{cast} <=> fresh.{cast} AS distance"
            "  FROM gallery_embedding entry JOIN gallery_mappoint point"
            "   ON point.map_id = %s AND point.image_id = entry.image_id"
            f" WHERE entry.space_id = {space.pk:d}"
            f" ORDER BY entry.{cast} <=> fresh.{cast} LIMIT {NEIGHBOURS:d}) near"
            f" WHERE fresh.space_id = {space.pk:d} AND fresh.image_id = ANY(%s)"
            " ORDER BY fresh.image_id, near.distance",
            [drawn.pk, ids],
        )
        found: dict[UUID, list[Neighbour]] = {}
        for pk, *neighbour in cursor.fetchall():
            found.setdefault(pk, []).append(Neighbour(*neighbour))
    return found


def _chances(image_id: UUID) -> tuple[float, float]:
    """Two pseudo-random numbers in [0, 1) from the random bits of an id."""
    bits = image_id.int & (1 << 60) - 1
    return (bits & (1 << 30) - 1) / (1 << 30), (bits >> 30) / (1 << 30)


def _neighbour(at: Places, label: np.int64, cosine: np.float32) -> Neighbour:
    return Neighbour(float(at[0]), float(at[1]), int(label), float(cosine))

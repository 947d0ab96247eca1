"""Builds the map of a space, in the worker for chores:

a sample of the vectors -> layout (a separate process) -> places for all other pictures among
the sample -> one transaction that replaces the old map
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import numpy as np
import numpy.typing as npt
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from gallery.encoders.base import Vectors
from gallery.explore import maps
from gallery.explore.layout import Places
from gallery.explore.placement import nearest_of, place, place_new
from gallery.explore.vectors import blocks, encoded
from gallery.models import EmbeddingSpace, ExploreMap, MapCluster, MapPoint
from gallery.work.drain import is_database_away
from gallery.work.leases import Lease, Lost

logger = logging.getLogger(__name__)

# Pictures that the layout gets; all others are placed among these.
SAMPLE = 20_000
# Pictures whose cosines with the sample are in memory at a time: 512 x 20,000 x 4 bytes.
BLOCK = 512
POLL_SECONDS = 2.0
WRITTEN_AT_ONCE = 10_000

# Progress after these steps, as shares of the whole work.
_READ, _LAID_OUT = 0.05, 0.8


class LayoutFailed(Exception):
    """The layout process ended without a result; the message is for the administrator."""


@dataclass(frozen=True)
class Drawing:
    """All pictures of a space with their places (n, 2) and region numbers (n,)."""

    ids: list[UUID]
    places: Places
    labels: npt.NDArray[np.int64]


def build_due() -> None:
    """Draw the map if it is due; else place the pictures that came after it was drawn."""
    space = maps.due()
    if space is not None and draw(space):
        return
    drawn = maps.shown()
    if drawn is not None:
        place_new(drawn)


def draw(space: EmbeddingSpace) -> bool:
    """Draw the map of `space` unless another worker does. Return whether it was drawn."""
    lease = maps.claim(space)
    if lease is None:
        return False
    try:
        is_drawn = _draw_and_hang(lease, space)
    except Lost:
        logger.warning("The map of %s is drawn by another worker", space)
        return False
    return is_drawn


def _draw_and_hang(lease: Lease[ExploreMap], space: EmbeddingSpace) -> bool:
    """Draw and publish the map, and record failures. Return whether it was drawn. Raises Lost
    and unexpected errors."""
    try:
        drawing = _draw(lease, space)
        if drawing is None:
            lease.release(state=ExploreMap.State.WAITING)
            return False
        _publish(lease, space, drawing)
    except Lost:
        raise
    except LayoutFailed as error:
        logger.error("The map of %s: %s", space, error)
        maps.fail(lease, str(error))
        return False
    except Exception as error:
        if is_database_away(error):
            # The lease ends by itself, and a worker draws the map again.
            raise
        maps.fail(lease, f"{type(error).__name__}: {error}")
        raise
    return True


def _draw(lease: Lease[ExploreMap], space: EmbeddingSpace) -> Drawing | None:
    """Lay out the sample and place all other pictures. Return None if there are too few
    pictures after all. Raises LayoutFailed, Lost."""
    ids, sample = _sample(space)
    if len(ids) < maps.LEAST_PICTURES:
        return None
    lease.keep(progress=_READ)
    places, labels = _lay_out(sample, lease)
    rest = encoded(space).filter(image_id__gt=ids[-1])
    total = len(ids) + (rest.count() if len(ids) == SAMPLE else 0)
    all_ids, all_places, all_labels = list(ids), [places], [labels]
    if len(ids) == SAMPLE:
        for fresh, vectors in blocks(rest, BLOCK):
            near = nearest_of(vectors, sample, places, labels)
            found = [place(pk, ones) for pk, ones in zip(fresh, near, strict=True)]
            all_ids += fresh
            all_places.append(np.array([(x, y) for x, y, _region in found]))
            all_labels.append(np.array([region for *_xy, region in found], dtype=np.int64))
            share = len(all_ids) / max(total, len(all_ids))
            lease.keep(progress=_LAID_OUT + (1 - _LAID_OUT) * share)
    return Drawing(all_ids, np.concatenate(all_places), np.concatenate(all_labels))


def _sample(space: EmbeddingSpace) -> tuple[list[UUID], Vectors]:
    ids: list[UUID] = []
    parts: list[Vectors] = []
    for some, vectors in blocks(encoded(space), BLOCK):
        ids += some
        parts.append(vectors)
        if len(ids) >= SAMPLE:
            break
    joined = np.concatenate(parts) if parts else np.empty((0, 1), dtype=np.float32)
    return ids[:SAMPLE], joined[:SAMPLE]


def _lay_out(vectors: Vectors, lease: Lease[ExploreMap]) -> tuple[Places, npt.NDArray[np.int64]]:
    """Run the layout in a separate process, and renew the lease meanwhile.

    Raises LayoutFailed, Lost.
    """
    with tempfile.TemporaryDirectory(prefix="clipsite-map-") as folder:
        source, target, progress, log = (
            Path(folder, name) for name in ("vectors.npy", "layout.npz", "progress", "log")
        )
        np.save(source, vectors.astype(np.float16))
        with log.open("wb") as stream:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "gallery.explore.layout"),
                    *(str(source), str(target), str(progress), str(os.getpid())),
                ],
                cwd=settings.BASE_DIR,
                stdout=stream,
                stderr=subprocess.STDOUT,
            )
            try:
                _await(process, progress, lease)
            finally:
                process.kill()
                process.wait()
        if process.returncode:
            raise LayoutFailed(_reason(process.returncode, log))
        with np.load(target) as found:
            return found["places"], found["regions"]


def _await(process: subprocess.Popen[bytes], progress: Path, lease: Lease[ExploreMap]) -> None:
    while True:
        try:
            process.wait(POLL_SECONDS)
            return
        except subprocess.TimeoutExpired:
            share = float(progress.read_text()) if progress.exists() else 0.0
            lease.keep(progress=_READ + (_LAID_OUT - _READ) * share)


def _reason(code: int, log: Path) -> str:
    """The last line of the process's output, or the signal that ended it."""
    if code < 0:
        return f"The layout was ended by signal {-code}: is there too little memory?"
    lines = log.read_text(errors="replace").strip().splitlines()
    return f"The layout failed: {lines[-1] if lines else f'exit status {code}'}"


@transaction.atomic
def _publish(lease: Lease[ExploreMap], space: EmbeddingSpace, drawing: Drawing) -> None:
    """Replace the old map by the new one, and delete the maps of spaces that are no longer
    used. Raises Lost."""
    lease.hold()
    MapPoint.objects.filter(map=lease.row).delete()
    MapCluster.objects.filter(map=lease.row).delete()
    _write(lease.row, drawing)
    lease.release(
        state=ExploreMap.State.READY,
        progress=1.0,
        laid_out=len(drawing.ids),
        built_at=timezone.now(),
    )
    retired = ExploreMap.objects.exclude(pk=lease.row.pk).exclude(
        space__state__in=[EmbeddingSpace.State.ACTIVE, EmbeddingSpace.State.BUILDING]
    )
    if space.state == EmbeddingSpace.State.ACTIVE:
        retired.delete()


def _write(drawn: ExploreMap, drawing: Drawing) -> None:
    sizes = np.bincount(drawing.labels)
    sums = [np.bincount(drawing.labels, drawing.places[:, axis]) for axis in (0, 1)]
    regions = MapCluster.objects.bulk_create(
        MapCluster(map=drawn, x=sums[0][label] / size, y=sums[1][label] / size, size=size)
        for label, size in enumerate(sizes.tolist())
    )
    keys = np.array([region.pk for region in regions])[drawing.labels]
    with connection.cursor() as cursor:
        for start in range(0, len(drawing.ids), WRITTEN_AT_ONCE):
            part = slice(start, start + WRITTEN_AT_ONCE)
            # Pictures that were deleted for good meanwhile are skipped; the lock keeps the
            # others until the transaction ends.
            cursor.execute(
                "INSERT INTO gallery_mappoint (map_id, image_id, cluster_id, x, y)"
                " SELECT %s, image.id, point.region, point.x, point.y"
                " FROM unnest(%s::uuid[], %s::bigint[], %s::float8[], %s::float8[])"
                "  AS point (image_id, region, x, y)"
                " JOIN gallery_image image ON image.id = point.image_id"
                " FOR KEY SHARE OF image",
                [
                    drawn.pk,
                    drawing.ids[part],
                    keys[part].tolist(),
                    drawing.places[part, 0].tolist(),
                    drawing.places[part, 1].tolist(),
                ],
            )
        # Without statistics, PostgreSQL takes the new points for a few and compares each one with
        # each label.
        cursor.execute("ANALYZE gallery_mappoint")

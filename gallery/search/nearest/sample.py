"""A random sample of a space's vectors, in the memory of the process.

The sample covers the whole library, whatever the viewer may see. It only yields statistics: no
picture of the sample is named, and none of its scores is shown.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

import numpy as np
from django.db.models import BinaryField, F, Func, Max, Min, QuerySet

from gallery.encoders.base import Vectors
from gallery.models import Embedding, EmbeddingSpace

# SIZE is enough for shares down to half a percent and takes 2 MB at 512 dimensions. For large
# libraries the sample has one of _PICTURES_PER_SAMPLED pictures, up to MOST, so that searches
# notice what they miss.
SIZE, MOST = 1000, 10_000
_PICTURES_PER_SAMPLED = 100
# Fewer pictures say nothing about chance. A new installation has nine, and its first searches are
# judged as later ones are.
MINIMUM = 8
# How long a sample is used. The sample of a small library contains every picture, so each new
# picture matters.
_SECONDS, _SECONDS_WHILE_SMALL = 600.0, 10.0
# Numbers between the first and the last row of a space may belong to other spaces or to deleted
# pictures. If the numbers span at most _FEW, all rows are read. Otherwise _FEW numbers are drawn
# at a time, at most _MOST_DRAWS times.
_FEW = 4 * SIZE
_MOST_DRAWS = 20


# A vector in pgvector's binary format: a header of 4 bytes, then half-precision numbers.
SENT = Func(F("vector"), function="halfvec_send", output_field=BinaryField())


@dataclass(frozen=True, eq=False)
class Sample:
    """`vectors` (n, d) are float32 unit vectors of the pictures `ids` (n). n is at most SIZE, or
    MOST in large libraries. `pictures` is the number of pictures in the space, an estimate if
    rows were drawn by number."""

    ids: list[UUID]
    vectors: Vectors
    pictures: int

    @cached_property
    def centre(self) -> Vectors:
        """The mean (d,) of the vectors. Its length is at most 1 and falls with their spread."""
        centre: Vectors = self.vectors.mean(axis=0)
        return centre


@dataclass(frozen=True)
class _Kept:
    sample: Sample | None
    until: float


_lock = threading.Lock()
_kept: dict[tuple[int, str], _Kept] = {}


def sample_of(space: EmbeddingSpace) -> Sample | None:
    """Return the sample of `space`, kept for a while; None if there are too few pictures."""
    key = (space.pk, space.checksum)
    kept = _kept.get(key)
    if kept is not None and time.monotonic() < kept.until:
        return kept.sample
    # One thread takes a new sample. The others use the old one or, without one, wait.
    if not _lock.acquire(blocking=kept is None) and kept is not None:
        return kept.sample
    try:
        latest = _kept.get(key)
        if latest is None or time.monotonic() >= latest.until:
            sample = take(space)
            small = sample is None or sample.pictures <= SIZE
            seconds = _SECONDS_WHILE_SMALL if small else _SECONDS
            latest = _kept[key] = _Kept(sample, time.monotonic() + seconds)
        return latest.sample
    finally:
        _lock.release()


def forget() -> None:
    """Discard all samples. The next use takes new ones."""
    _kept.clear()


def take(space: EmbeddingSpace) -> Sample | None:
    """Return a new sample; None if there are fewer than MINIMUM pictures."""
    sample = draw(space)
    return sample if len(sample.ids) >= MINIMUM else None


def draw(space: EmbeddingSpace) -> Sample:
    """Return a new sample, however few pictures there are.

    In large libraries rows are drawn by their numbers, so hardly more rows are read than needed.
    """
    rows = Embedding.objects.filter(space=space)
    first, last = span(space)
    count = last - first + 1
    if count > _FEW:
        return _drawn(rows, first, count)
    ids, vectors = _read(rows.order_by("?"))
    return Sample(ids[:SIZE], vectors[:SIZE], len(ids))


def span(space: EmbeddingSpace) -> tuple[int, int]:
    """Return the numbers of the first and the last embedding of `space`; (1, 0) if there is none.
    Their difference estimates the size of the space without a count."""
    rows = Embedding.objects.filter(space=space)
    ends = rows.aggregate(first=Min("id"), last=Max("id"))
    return (ends["first"], ends["last"]) if ends["first"] else (1, 0)


def _drawn(rows: QuerySet[Embedding], first: int, count: int) -> Sample:
    """Return a sample of the rows with random numbers among the `count` from `first` on."""
    numbers = random.sample(range(first, first + count), min(count, _FEW * _MOST_DRAWS))
    ids: list[UUID] = []
    parts: list[Vectors] = []
    drawn = 0
    wanted = min(max(SIZE, count // _PICTURES_PER_SAMPLED), MOST)
    while len(ids) < wanted and drawn < len(numbers):
        more, part = _read(rows.filter(id__in=numbers[drawn : drawn + _FEW]))
        drawn += len(numbers[drawn : drawn + _FEW])
        if more:
            ids += more
            parts.append(part)
    vectors = np.concatenate(parts) if parts else np.empty((0, 0), dtype=np.float32)
    # The rows may come in the order of the library, where the first ones are the oldest.
    kept = random.sample(range(len(ids)), min(wanted, len(ids)))
    return Sample([ids[n] for n in kept], vectors[kept], round(count * len(ids) / drawn))


def _read(rows: QuerySet[Embedding]) -> tuple[list[UUID], Vectors]:
    found = list(rows.values_list("image_id", SENT))
    return [image_id for image_id, _sent in found], decoded(sent for _id, sent in found)


def decoded(sent: Iterable[bytes]) -> Vectors:
    """Decode rows of `halfvec_send` to (n, d) float32; (0, 0) without rows."""
    halves = [np.frombuffer(row, dtype=">f2", offset=4) for row in sent]
    if not halves:
        return np.empty((0, 0), dtype=np.float32)
    return np.stack(halves).astype(np.float32)

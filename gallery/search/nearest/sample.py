"""A random sample of a space's vectors, in the memory of the process.

What is learnt from it are figures about the whole library, whoever asks: no picture is
named, and no score of the sample is shown.
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

# Enough for shares down to half a percent; 2 MB in memory at 512 dimensions. Of large
# libraries a hundredth, up to MOST, so that searches see what they miss.
SIZE, MOST = 1000, 10_000
_HUNDREDTH = 100
# With fewer pictures nothing can be said about chance.
MINIMUM = 10
# How long a sample is used. A small library is in it as a whole, and each picture counts.
_SECONDS, _SECONDS_WHILE_SMALL = 600.0, 10.0
# Numbers between the first and the last row of a space belong to other spaces or to
# deleted pictures. Up to so many all are read; of more, so many are drawn at a time.
_FEW = 4 * SIZE
_MOST_DRAWS = 20


# A vector as pgvector sends it: two words of header, then halves.
SENT = Func(F("vector"), function="halfvec_send", output_field=BinaryField())


@dataclass(frozen=True, eq=False)
class Sample:
    """`vectors` (n, d) float32 of unit length of the pictures `ids` (n), up to SIZE of
    them, of large libraries more. `pictures` is how many the space has: exactly where all
    are in the sample, else about."""

    ids: list[UUID]
    vectors: Vectors
    pictures: int

    @cached_property
    def centre(self) -> Vectors:
        """(d,) the mean of the vectors; shorter than 1, the more so the wider they lie."""
        centre: Vectors = self.vectors.mean(axis=0)
        return centre


@dataclass(frozen=True)
class _Kept:
    sample: Sample | None
    until: float


_lock = threading.Lock()
_kept: dict[tuple[int, str], _Kept] = {}


def sample_of(space: EmbeddingSpace) -> Sample | None:
    """The sample of `space`, None where it has too few pictures. It is kept for a while."""
    key = (space.pk, space.checksum)
    kept = _kept.get(key)
    if kept is not None and time.monotonic() < kept.until:
        return kept.sample
    # One thread takes a new one. The others go on with the old one, or wait for the first.
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
    """Take every sample anew when it is next wanted."""
    _kept.clear()


def take(space: EmbeddingSpace) -> Sample | None:
    """A fresh sample, None where there are too few pictures."""
    sample = draw(space)
    return sample if len(sample.ids) >= MINIMUM else None


def draw(space: EmbeddingSpace) -> Sample:
    """A fresh sample, however few pictures there are.

    They are drawn by the numbers of their rows: that reads hardly more rows than it needs,
    however large the library.
    """
    rows = Embedding.objects.filter(space=space)
    first, last = span(space)
    count = last - first + 1
    if count > _FEW:
        return _drawn(rows, first, count)
    ids, vectors = _read(rows.order_by("?"))
    return Sample(ids[:SIZE], vectors[:SIZE], len(ids))


def span(space: EmbeddingSpace) -> tuple[int, int]:
    """The numbers of the first and the last row of `space` that has a vector; (1, 0) where
    there is none. How far they are apart tells its size without counting."""
    rows = Embedding.objects.filter(space=space)
    ends = rows.aggregate(first=Min("id"), last=Max("id"))
    return (ends["first"], ends["last"]) if ends["first"] else (1, 0)


def _drawn(rows: QuerySet[Embedding], first: int, count: int) -> Sample:
    """Of rows with random numbers."""
    numbers = random.sample(range(first, first + count), min(count, _FEW * _MOST_DRAWS))
    ids: list[UUID] = []
    parts: list[Vectors] = []
    drawn = 0
    wanted = min(max(SIZE, count // _HUNDREDTH), MOST)
    while len(ids) < wanted and drawn < len(numbers):
        more, part = _read(rows.filter(id__in=numbers[drawn : drawn + _FEW]))
        drawn += len(numbers[drawn : drawn + _FEW])
        if more:
            ids += more
            parts.append(part)
    vectors = np.concatenate(parts) if parts else np.empty((0, 0), dtype=np.float32)
    # They came in the order of the library, so the first of them would be its oldest.
    kept = random.sample(range(len(ids)), min(wanted, len(ids)))
    return Sample([ids[n] for n in kept], vectors[kept], round(count * len(ids) / drawn))


def _read(rows: QuerySet[Embedding]) -> tuple[list[UUID], Vectors]:
    found = list(rows.values_list("image_id", SENT))
    return [image_id for image_id, _sent in found], decoded(sent for _id, sent in found)


def decoded(sent: Iterable[bytes]) -> Vectors:
    """(n, d) float32 of what `halfvec_send` gave for each row; (0, 0) for none."""
    halves = [np.frombuffer(row, dtype=">f2", offset=4) for row in sent]
    if not halves:
        return np.empty((0, 0), dtype=np.float32)
    return np.stack(halves).astype(np.float32)

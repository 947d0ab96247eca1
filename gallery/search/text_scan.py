"""How the index of pictures is read for a text.

Texts lie beside the cone of the pictures (Liang et al. 2022, "Mind the gap"), and a graph
of pictures leads some of them into a wrong corner: few, but those find nothing. A random
sample of the library tells better where to read.
"""

from __future__ import annotations

import math

import numpy as np

from gallery.encoders.base import Vectors, l2_normalise
from gallery.models import EmbeddingSpace
from gallery.search import scans
from gallery.search.sample import Sample
from gallery.search.scans import Rows, Scope

# How far a text is turned toward the centre of the pictures, and how many windows of what
# is then found are compared with the text itself.
TURN, COMPARED = 0.3, 3
# In libraries larger than USUAL, for each ten times its size: around so many of the sample
# it is read as well, which is so many entries for each. Pictures of a higher cosine than
# ALIKE are taken for the same place. Figures in docs/decisions/0014.
USUAL = 100_000
ANCHORS, ANCHOR_ENTRIES = 6, 100
ANCHOR_WEIGHT, ALIKE = 0.6, 0.8
# Of a sample, what is nearer than so many of what that finds must be among it.
SURE = 20
# By so much scores of the sample and the database's may differ.
ROUNDING = 1e-4


def near_text(
    space: EmbeddingSpace, vector: Vectors, scope: Scope, window: int, entries: int, drawn: Sample
) -> Rows:
    """(image id, distance) of about `window` pictures near the unit vector (d,), nearest first.

    The index is read from a little nearer to the pictures, in large libraries also around
    the best of the sample. Where that misses a picture of the sample, it is read again
    toward that one.
    """

    def toward(direction: Vectors, weight: float) -> Rows:
        turned = l2_normalise((vector + weight * direction)[None])[0]
        return scans.along(space, vector, scope, COMPARED * window, entries, toward=turned)

    rows = toward(drawn.centre, TURN)
    if len(rows) < window:
        return rows
    scores = drawn.vectors @ vector
    count = anchors(drawn.pictures)
    if count:
        places = [drawn.ids[n] for n in _apart(drawn.vectors, scores, count)]
        rows = _merged(
            rows,
            scans.around(space, vector, scope, window, ANCHOR_ENTRIES, places, ANCHOR_WEIGHT),
        )
    missed = _missed(rows, scores, scope, drawn)
    return rows if missed is None else _merged(rows, toward(missed, 1.0))


def anchors(pictures: int) -> int:
    """Around how many of its sample a library of so many pictures is read."""
    return round(ANCHORS * math.log10(max(pictures / USUAL, 1.0)))


def _apart(vectors: Vectors, scores: Vectors, count: int) -> list[int]:
    """Places of up to `count` of the best of the sample, best first, no two alike."""
    several = min(4 * count, len(scores))
    best = np.argpartition(-scores, several - 1)[:several]
    best = best[np.argsort(-scores[best])]
    alike = vectors[best] @ vectors[best].T > ALIKE
    kept: list[int] = []
    for n in range(several):
        if len(kept) < count and not alike[n, kept].any():
            kept.append(n)
    return [int(best[n]) for n in kept]


def _missed(rows: Rows, scores: Vectors, scope: Scope, drawn: Sample) -> Vectors | None:
    """The vector of the best picture of the sample that should be among `rows`."""
    least = 1 - rows[min(SURE, len(rows)) - 1][1] + ROUNDING
    found = {image_id for image_id, _ in rows}
    better = {drawn.ids[n]: n for n in np.flatnonzero(scores > least)}
    missing = list(better.keys() - found)
    if not missing:
        return None
    places = [better[pk] for pk in scans.among(scope, missing)]
    return drawn.vectors[max(places, key=lambda n: scores[n])] if places else None


def _merged(rows: Rows, others: Rows) -> Rows:
    return sorted({*rows, *others}, key=scans.by_distance)

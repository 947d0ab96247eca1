"""Scans of the graph of pictures for a text.

Texts lie outside the cone of the pictures (Liang et al. 2022, "Mind the gap"). For a few texts the
graph leads to a wrong region, and they find nothing. A random sample of the library shows a better
direction.
"""

from __future__ import annotations

import numpy as np

from gallery.encoders.base import Vectors, l2_normalise
from gallery.models import EmbeddingSpace
from gallery.search.nearest import scans
from gallery.search.nearest.sample import Sample
from gallery.search.nearest.scans import Rows, Scope

# The weight of the pictures' centre that is added to a text, and the number of windows of results
# that are compared with the text itself.
TURN, COMPARED = 0.3, 3
# A picture of the sample that is nearer than the result at this place must be among the results.
SURE = 20
# Scores of the sample and of the database may differ by this much.
ROUNDING = 1e-4


def near_text(
    space: EmbeddingSpace, vector: Vectors, scope: Scope, window: int, entries: int, drawn: Sample
) -> Rows:
    """Return (image id, distance) of pictures near the unit vector (d,), nearest first: up to
    COMPARED · `window` from each scan.

    The first scan reads the graph toward a direction nearer to the pictures. If it misses a picture
    of the sample, a second scan reads toward that picture.
    """

    def toward(direction: Vectors, weight: float) -> Rows:
        turned = l2_normalise((vector + weight * direction)[None])[0]
        return scans.along(space, vector, scope, COMPARED * window, entries, toward=turned)

    rows = toward(drawn.centre, TURN)
    if len(rows) < window:
        return rows
    scores = drawn.vectors @ vector
    missed = _missed(rows, scores, scope, drawn)
    if missed is None:
        return rows
    return sorted({*rows, *toward(missed, 1.0)}, key=scans.by_distance)


def _missed(rows: Rows, scores: Vectors, scope: Scope, drawn: Sample) -> Vectors | None:
    """Return the vector (d,) of the best sampled picture that is missing from `rows`; None if none
    is missing."""
    least = 1 - rows[min(SURE, len(rows)) - 1][1] + ROUNDING
    found = {image_id for image_id, _ in rows}
    better = {drawn.ids[n]: n for n in np.flatnonzero(scores > least)}
    missing = list(better.keys() - found)
    if not missing:
        return None
    places = [better[pk] for pk in scans.among(scope, missing)]
    return drawn.vectors[max(places, key=lambda n: scores[n])] if places else None

"""How the graph of pictures is read for a text.

Texts lie beside the cone of the pictures (Liang et al. 2022, "Mind the gap"), and a graph
of pictures leads some of them into a wrong corner: few, but those find nothing. A random
sample of the library tells better where to read.
"""

from __future__ import annotations

import numpy as np

from gallery.encoders.base import Vectors, l2_normalise
from gallery.models import EmbeddingSpace
from gallery.search.nearest import scans
from gallery.search.nearest.sample import Sample
from gallery.search.nearest.scans import Rows, Scope

# How far a text is turned toward the centre of the pictures, and how many windows of what
# is then found are compared with the text itself.
TURN, COMPARED = 0.3, 3
# Of a sample, what is nearer than so many of what that finds must be among it.
SURE = 20
# By so much scores of the sample and the database's may differ.
ROUNDING = 1e-4


def near_text(
    space: EmbeddingSpace, vector: Vectors, scope: Scope, window: int, entries: int, drawn: Sample
) -> Rows:
    """(image id, distance) of about `window` pictures near the unit vector (d,), nearest first.

    The graph is read from a little nearer to the pictures. Where that misses a picture of
    the sample, it is read again toward that one.
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
    """The vector of the best picture of the sample that should be among `rows`."""
    least = 1 - rows[min(SURE, len(rows)) - 1][1] + ROUNDING
    found = {image_id for image_id, _ in rows}
    better = {drawn.ids[n]: n for n in np.flatnonzero(scores > least)}
    missing = list(better.keys() - found)
    if not missing:
        return None
    places = [better[pk] for pk in scans.among(scope, missing)]
    return drawn.vectors[max(places, key=lambda n: scores[n])] if places else None

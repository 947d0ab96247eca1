"""The words from which “none of these” is made: everyday concepts, of which each set takes those
far from its categories (gallery.labels.learning.background)."""

from __future__ import annotations

import numpy as np
from django.utils.translation import gettext_lazy as _

from gallery.encoders.base import Vectors
from gallery.errors import Unavailable
from gallery.labels.learning.background import choose_background
from gallery.models import ConceptVectors, EmbeddingSpace

COUNT = 32


def vectors(space: EmbeddingSpace, categories: Vectors) -> Vectors:
    """Return (COUNT, d) unit vectors of words far from all `categories` (k, d). Raises
    Unavailable until a worker has encoded the concepts."""
    words = concepts_of(space)
    if words is None:
        raise Unavailable(
            "not_measured_yet", _("The model is still being measured. Try again in a moment."), 5
        )
    return words[choose_background(words, categories, COUNT)]


def concepts_of(space: EmbeddingSpace) -> Vectors | None:
    """Return the (n, d) unit vectors of the English words for everyday concepts; None until a
    worker has made them (gallery.search.relevance.concepts)."""
    rows = ConceptVectors.objects.filter(space=space, checksum=space.checksum)
    packed = rows.values_list("vectors", flat=True).first()
    if packed is None:
        return None
    halves = np.frombuffer(packed, dtype="<f2").reshape(-1, space.dimensions or 1)
    # The English words come first, the Chinese ones behind them.
    return halves[: len(halves) // 2].astype(np.float32)

"""How a model's logits become probabilities before there are answers.

For *any of these* a model that was not trained with a bias has to know from which cosine on a text
fits a picture: some spreads above the cosines of unrelated ones. Most everyday concepts are
unrelated to a picture.
"""

from __future__ import annotations

import numpy as np

from gallery.indexing import concepts
from gallery.labels.learning.temperature import Default, default_of
from gallery.models import Embedding, EmbeddingSpace

# Until they can be measured, mean and spread are those of most models of this kind.
_CENTRE, _SPREAD = 0.18, 0.03
# Pictures, which are drawn by their random ids, and the fewest that say something.
_PICTURES, _FEWEST = 200, 10


def of(space: EmbeddingSpace) -> Default:
    """Return the default of a space."""
    scale = float(space.logit_scale or 1.0)
    centre, spread = _chance(space)
    return default_of(
        space.architecture,
        centre=scale * centre,
        spread=scale * spread,
        logit_bias=space.logit_bias,
    )


def _chance(space: EmbeddingSpace) -> tuple[float, float]:
    """Return mean and standard deviation of the cosines of unrelated texts and pictures."""
    words = concepts.vectors(space)
    some = Embedding.objects.filter(space=space, part=0)
    vectors = list(some.order_by("image_id").values_list("vector", flat=True)[:_PICTURES])
    if words is None or len(vectors) < _FEWEST:
        return _CENTRE, _SPREAD
    cosines = np.array([np.asarray(vector) for vector in vectors], dtype=np.float32) @ words.T
    return float(cosines.mean()), float(cosines.std())

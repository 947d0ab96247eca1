"""How a model's logits become probabilities before there are answers."""

from __future__ import annotations

from gallery.labels.learning.temperature import Default, default_of
from gallery.models import EmbeddingSpace

# Cosines of unrelated texts and pictures, as in most models of this kind: until a worker has
# measured those of a space (gallery.search.relevance.calibration).
_CENTRE, _SPREAD = 0.18, 0.03


def of(space: EmbeddingSpace) -> Default:
    scale = float(space.logit_scale or 1.0)
    chance = space.calibration.get("text") or {}
    return default_of(
        space.architecture,
        centre=scale * chance.get("centre", _CENTRE),
        spread=scale * chance.get("spread", _SPREAD),
        logit_bias=space.logit_bias,
    )

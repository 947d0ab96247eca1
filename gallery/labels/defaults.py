"""How a model's logits become probabilities before there are answers.

For known models the values were fitted once and stand here, by the checksum of the weights.
Other models keep their own scale. For *any of these* such a model also needs to know from which
cosine on a text fits a picture: if it was not trained with a bias, a few spreads above the cosines
of unrelated texts and pictures, which a worker measures (gallery.search.relevance.calibration).
"""

from __future__ import annotations

from gallery.labels.learning.temperature import Default
from gallery.models import EmbeddingSpace

KNOWN: dict[str, Default] = {}

# Spreads above the centre of chance at which a picture is as likely of a category as not.
_HEIGHT = 2.5


def of(space: EmbeddingSpace) -> Default:
    known = KNOWN.get(space.checksum)
    if known is not None:
        return known
    chance = space.calibration.get("text")
    if space.logit_bias is not None or not chance:
        return Default()
    middle = chance["centre"] + _HEIGHT * chance["spread"]
    return Default(intercept=-float(space.logit_scale or 1.0) * middle)

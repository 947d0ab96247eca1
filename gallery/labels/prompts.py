"""From the texts of a category to its vector."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from gallery.encoders.base import Vectors, l2_normalise
from gallery.encoders.client import Space

Encode = Callable[[Space, list[str]], Vectors]


def class_weights(
    space: Space, texts_per_class: Sequence[Sequence[str]], encode: Encode
) -> Vectors:
    """Return (n, d) unit vectors: for each class the normalised mean of its texts' vectors.

    Source: Radford et al., 2021, section 3.1.4 (prompt ensembles).
    """
    vectors = encode(space, [text for texts in texts_per_class for text in texts])
    ends = np.cumsum([len(texts) for texts in texts_per_class])
    means = [part.mean(axis=0) for part in np.split(vectors, ends[:-1])]
    return l2_normalise(np.stack(means))

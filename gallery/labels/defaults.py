"""How a model's scores become probabilities before there are answers.

*One of these* has the model's own logits, with one temperature. For *any of these* a model that was
trained for it knows itself whether a text fits a picture. For all others this differs from text to
text: “people” has low cosines with the many pictures that show people, others have high ones with
everything. So each text has a line of its own, by everyday concepts on the same pictures
(gallery.indexing.text_fit). It is where F1 is highest, so labels begin there: with a probability of
one half, until answers say more.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gallery.encoders.base import Vectors
from gallery.indexing import concepts
from gallery.indexing.text_fit import MOST_PICTURES, Reference
from gallery.labels.learning.temperature import Default, default_of
from gallery.models import Embedding, EmbeddingSpace

# Until they can be measured, mean and spread are those of most models of this kind.
_CENTRE, _SPREAD = 0.18, 0.03
# The fewest pictures that say something. They are drawn by their random ids.
_FEWEST = 10

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Judged(Default):
    """A default for texts that are judged one by one."""

    reference: Reference | None = None


@dataclass(frozen=True)
class Odds:
    """The log-odds that texts (k) fit a picture: `slopes` (k,) times its cosines plus `constants`
    (k,)."""

    slopes: Floats
    constants: Floats

    def of(self, cosines: Floats) -> Floats:
        """Return the log-odds (n, k) of cosines (n, k)."""
        return cosines * self.slopes + self.constants


def of(space: EmbeddingSpace, *, judged: bool = True) -> Default:
    """Return the default of a space. Without `judged`, that of *one of these* alone, which needs
    no pictures."""
    reference = _reference(space) if judged and space.logit_bias is None else None
    scale = float(space.logit_scale or 1.0)
    usual = default_of(
        space.architecture,
        centre=scale * (_CENTRE if reference is None else reference.centre),
        spread=scale * (_SPREAD if reference is None else reference.spread),
        logit_bias=space.logit_bias,
    )
    if reference is None:
        return usual
    return Judged(usual.one, usual.any, usual.intercept, reference)


def odds(usual: Default, space: EmbeddingSpace, texts: Vectors) -> Odds:
    """Return the log-odds of *any of these* for texts, unit vectors (k, d), in a space."""
    if isinstance(usual, Judged) and usual.reference is not None:
        fits = usual.reference.fits(texts)
        slopes = np.array([fit.slope for fit in fits])
        return Odds(slopes, -slopes * np.array([fit.line for fit in fits]))
    scale, bias = float(space.logit_scale or 1.0), space.logit_bias or 0.0
    count = len(texts)
    return Odds(
        np.full(count, scale / usual.any), np.full(count, bias / usual.any + usual.intercept)
    )


def _reference(space: EmbeddingSpace) -> Reference | None:
    words = concepts.vectors(space)
    some = Embedding.objects.filter(space=space, part=0)
    vectors = list(some.order_by("image_id").values_list("vector", flat=True)[:MOST_PICTURES])
    if words is None or len(vectors) < _FEWEST:
        return None
    pictures = np.array([np.asarray(vector) for vector in vectors], dtype=np.float32)
    return Reference(words, pictures, concepts.vectors(space, "zh"))

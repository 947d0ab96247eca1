"""The probabilities of a single picture, from its vector. For many pictures the database computes
the same (gallery.labels.scoring)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gallery.encoders.base import Vectors
from gallery.labels.definition import Mode
from gallery.labels.fitting import Weights

Floats = npt.NDArray[np.float64]


def of_vector(weights: Weights, vector: Vectors) -> tuple[Vectors, float]:
    """Return the probabilities (k,) of the categories for a unit vector (d,), and that of none of
    them.

    One of these: the softmax over categories and background. Any of these: the sigmoid of each;
    none has the probability that none holds.
    """
    logits = np.asarray(weights.vectors, dtype=np.float64) @ vector + np.array(weights.biases)
    shares, none = of_logits(weights, logits[None])
    return shares[0].astype(np.float32), float(none[0])


def of_logits(weights: Weights, logits: Floats) -> tuple[Floats, Floats]:
    """Return the same for many pictures: (n, k) and (n,), from logits (n, all)."""
    if weights.mode == Mode.ANY:
        shares = np.exp(-np.logaddexp(0.0, -logits))
        return shares, np.prod(1 - shares, axis=1)
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares = exponentials / exponentials.sum(axis=1, keepdims=True)
    count = len(weights.categories)
    return shares[:, :count], shares[:, count:].sum(axis=1)


def given(weights: Weights, logits: Floats) -> npt.NDArray[np.bool_]:
    """Return whether pictures with these logits (n, all) get the labels: (n, k)."""
    shares, none = of_logits(weights, logits)
    enough = shares >= np.array(weights.thresholds)
    if weights.mode == Mode.ANY:
        return enough
    best = np.zeros(shares.shape, dtype=bool)
    best[np.arange(len(shares)), shares.argmax(axis=1)] = True
    if weights.background:
        best &= (shares.max(axis=1) >= none)[:, None]
    return best & enough

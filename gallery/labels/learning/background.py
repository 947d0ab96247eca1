"""“None of these”: words that are far from every category, and what they say of a picture.

Source: X. Jiang, F. Liu, Z. Fang, H. Chen, T. Liu, F. Zheng and B. Han, "Negative label guided OOD
detection with pretrained vision-language models", ICLR 2024 (NegLabel).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from gallery.labels.learning import logistic
from gallery.labels.learning.logistic import Floats, sigmoid

Integers = npt.NDArray[np.int64]

# Of how many categories, the nearest ones, the distance of a word is measured: a share of all.
_NEAREST = 0.05
# The prior of the logarithm of the odds, as a standard deviation; a slope that answers do not move.
_ODDS = 1.5
_FIXED = 1e6


def choose_background(words: npt.ArrayLike, categories: npt.ArrayLike, count: int) -> Integers:
    """Return at most `count` words as places (c,) among all, the farthest from the categories
    first.

    `words` (m, d) and `categories` (k, d) are unit vectors. The closeness of a word is the
    percentile 95 of its cosines with the categories: that of the nearest, or of the nearest
    twentieth of many. Raises ValueError without categories.
    """
    category = np.asarray(categories, dtype=float)
    if not len(category):
        raise ValueError("A background needs categories to be far from.")
    cosines = np.asarray(words, dtype=float) @ category.T
    closeness = np.quantile(cosines, 1 - _NEAREST, axis=1)
    return np.argsort(closeness, kind="stable")[:count]


def none_probability(
    categories: npt.ArrayLike, background: npt.ArrayLike, odds: float = 1.0
) -> Floats:
    """Return the probability (n,) that a picture shows none of the categories.

    `categories` (n, k) and `background` (n, m) are logits, divided by the temperature. The mean of
    exp(logit) over the background stands against that over the categories, so that the numbers of
    words do not matter. `odds` tells how much more often a picture shows none than one
    (`fit_odds`).
    """
    return sigmoid(_against(categories, background) + math.log(odds))


def fit_odds(categories: npt.ArrayLike, background: npt.ArrayLike, is_none: npt.ArrayLike) -> float:
    """Return the odds of `none_probability` from answers: logits (n, k) and (n, m) as there, and
    for each picture whether it shows none (n,), 0 or 1. Few answers leave the odds near 1."""
    against = _against(categories, background)
    fit = logistic.fit(
        np.column_stack([against, np.ones(len(against))]),
        is_none,
        centre=[1.0, 0.0],
        precision=[_FIXED, _ODDS**-2],
    )
    return math.exp(fit.coefficients[1])


def _against(categories: npt.ArrayLike, background: npt.ArrayLike) -> Floats:
    """Return the logits (n,) of none: without a background, or without categories, they are
    infinite."""
    inside, outside = (np.asarray(part, dtype=float) for part in (categories, background))
    return _log_mean(outside) - _log_mean(inside)


def _log_mean(logits: Floats) -> Floats:
    """Return log(mean(exp(logits))) of each row, -inf of an empty one."""
    if not logits.shape[1]:
        return np.full(len(logits), -np.inf)
    return np.logaddexp.reduce(logits, axis=1) - math.log(logits.shape[1])

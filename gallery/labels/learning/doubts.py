"""Labels by people that the model doubts.

Source: C. Northcutt, L. Jiang and I. Chuang, "Confident learning: estimating uncertainty in dataset
labels", JAIR 70, 2021.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]


def doubtful(probabilities: npt.ArrayLike, labels: npt.ArrayLike) -> Integers:
    """Return the labels that the model doubts, as places (c,) among n, the surest first.

    `probabilities` (n, k) are held out: from a fit without the label itself. `labels` (n,) are
    numbers below k. A label is doubted if another category is at least as probable as it is on
    average where people chose it, and more probable than the label's own. The difference of the
    two probabilities tells how sure the doubt is. A category that nobody chose casts no doubt.
    """
    probability, label = np.asarray(probabilities, dtype=float), np.asarray(labels, dtype=int)
    rows = np.arange(len(label))
    own = probability[rows, label]
    usual = np.full(probability.shape[1], np.inf)
    for category in np.unique(label):
        usual[category] = own[label == category].mean()
    rival = np.where(probability >= usual, probability, -np.inf)
    rival[rows, label] = -np.inf
    margin = rival.max(axis=1, initial=-np.inf) - own
    order = np.argsort(-margin, kind="stable")
    return order[margin[order] > 0]


def doubtful_verdicts(probabilities: npt.ArrayLike, verdicts: npt.ArrayLike) -> Integers:
    """Return the doubted answers to one category, as `doubtful` does: `probabilities` (n,) of yes,
    held out, and `verdicts` (n,), each 0 or 1."""
    yes = np.asarray(probabilities, dtype=float)
    return doubtful(np.stack([1 - yes, yes], axis=1), verdicts)

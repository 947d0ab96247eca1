"""Precision and recall of the labels of a library, from a few answers and all probabilities.

A random sample of twenty answers leaves most of a library unseen, and a rare category nearly all.
So each stratum of the sample begins with what the calibrated probabilities of its pictures expect,
which counts like `PRIOR` answers, and answers move it from there. The share of right ones has a
beta distribution, and the number of right ones among the pictures nobody has answered is drawn from
it. How many pictures have the label is known. Precision and recall are the means of many such drawn
libraries, and their intervals hold the middle of them.

Source: W. Ericson, "Subjective Bayesian models in sampling finite populations", Journal of the
Royal Statistical Society B 31, 1969. docs/decisions/0038-learning-from-answers.md has the figures.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gallery.labels.learning.intervals import CONFIDENCE, Estimate

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

# As many answers as the probabilities count for, in each stratum (decision 38 has the others).
PRIOR = 2.0
# Enough for limits of whole percents.
_DRAWS = 2000
# No probability is so sure that answers could not move it.
_LEAST = 1e-3


@dataclass(frozen=True)
class Sample:
    """Answers of a stratified random sample, all (m,): whether the pictures get the label
    (`accepted`), whether that is true, the stratum of each, how many pictures of the library it
    stands for (`weights`), and the probability that it had before the answer."""

    accepted: Bools
    truths: Bools
    strata: npt.NDArray[np.int64]
    weights: Floats
    probabilities: Floats


@dataclass(frozen=True)
class Library:
    """A random part of the library: the `probabilities` (n,) of its pictures and whether they get
    the label (`accepted`)."""

    probabilities: Floats
    accepted: Bools


def precision_and_recall(
    sample: Sample, library: Library, *, confidence: float = CONFIDENCE
) -> tuple[Estimate | None, Estimate | None]:
    """Return which share of the labels of a library is right, and which share of the right pictures
    have one. None without any answer about a labelled picture, or without any yes. The same answers
    give the same figures."""
    if not len(sample.truths):
        return None, None
    chance = np.random.default_rng(0)
    found, labels = _right(sample, library, True, chance)
    missed, _others = _right(sample, library, False, chance)
    right = np.maximum(found + missed, _LEAST)
    return (
        _estimate(found / max(labels, _LEAST), confidence) if sample.accepted.any() else None,
        _estimate(found / right, confidence) if sample.truths.any() else None,
    )


def _right(
    sample: Sample, library: Library, accepted: bool, chance: np.random.Generator
) -> tuple[Floats, float]:
    """Draw how many pictures are right (_DRAWS,) among those with the label, or those without, and
    return how many there are."""
    own = sample.accepted == accepted
    _numbers, place = np.unique(sample.strata[own], return_inverse=True)
    answers = np.bincount(place).astype(float)
    hits = np.bincount(place, sample.truths[own]).astype(float)
    sizes = np.bincount(place, sample.weights[own]).astype(float)
    expected = np.bincount(place, sample.probabilities[own]) / np.maximum(answers, 1)
    all_of_side = library.probabilities[library.accepted == accepted]
    total = float(sizes.sum())
    if len(library.probabilities):
        total = len(all_of_side) / len(library.probabilities) * float(sample.weights.sum())
    total = max(total, float(answers.sum()))
    if not len(answers):  # nobody has answered: all is expectation
        answers, hits, sizes = np.zeros(1), np.zeros(1), np.ones(1)
        expected = np.array([all_of_side.mean() if len(all_of_side) else 0.5])
    expected = np.clip(expected, _LEAST, 1 - _LEAST)
    shares = chance.beta(
        hits + PRIOR * expected,
        answers - hits + PRIOR * (1 - expected),
        size=(_DRAWS, len(answers)),
    )
    unanswered = np.maximum(np.rint(sizes * total / sizes.sum()) - answers, 0).astype(int)
    return (hits + chance.binomial(unanswered, shares)).sum(axis=1), total


def _estimate(drawn: Floats, confidence: float) -> Estimate:
    drawn = np.minimum(drawn, 1.0)
    low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    value = float(drawn.mean())
    return Estimate(value, min(float(low), value), max(float(high), value))

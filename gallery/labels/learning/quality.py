"""How good labels are, measured on answers that were not used for fitting: calibration, precision
and recall, confusion.

Probabilities are those of a category, or of the likeliest one (`of_likeliest`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gallery.labels.learning.intervals import (
    CONFIDENCE,
    Counts,
    Estimate,
    Interval,
    share,
    wilson,
)

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

BINS = 15


@dataclass(frozen=True)
class Bin:
    """A point of the reliability plot: `count` answers with the mean probability `predicted`, and
    the share of them that are true."""

    predicted: float
    observed: Estimate
    count: int


@dataclass(frozen=True)
class ClassQuality:
    """Precision and recall of one category among `answers` that truly are of it. None where no
    picture was put into the category, or none is of it."""

    precision: Estimate | None
    recall: Estimate | None
    answers: int


def of_likeliest(probabilities: npt.ArrayLike, classes: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return for each of n pictures the probability (n,) of its likeliest category, and 1 or 0 (n,)
    for whether that is its true one. `probabilities` (n, k), `classes` (n,) numbers below k."""
    matrix = np.asarray(probabilities, dtype=float)
    best = matrix.argmax(axis=1)
    return matrix[np.arange(len(matrix)), best], (best == np.asarray(classes)).astype(float)


def calibration_error(
    probabilities: npt.ArrayLike, truths: npt.ArrayLike, bins: int = BINS
) -> float:
    """Return the expected calibration error in [0, 1]: the mean distance of predicted and observed
    shares over bins with equally many answers. `probabilities` and `truths` are (n,). Few answers
    make it large by chance: about 0.4 * sqrt(bins / n).

    Source: M. Naeini, G. Cooper and M. Hauskrecht, "Obtaining well calibrated probabilities using
    Bayesian binning", AAAI 2015; bins of equal mass: K. Nguyen and B. O'Connor, "Posterior
    calibration and exploratory analysis for natural language processing models", EMNLP 2015.
    Raises ValueError without answers.
    """
    points = reliability(probabilities, truths, bins)
    distances = [abs(point.predicted - point.observed.value) for point in points]
    return float(np.average(distances, weights=[point.count for point in points]))


def reliability(
    probabilities: npt.ArrayLike,
    truths: npt.ArrayLike,
    bins: int = BINS,
    confidence: float = CONFIDENCE,
) -> list[Bin]:
    """Return the points of the reliability plot, the lowest probabilities first: bins of equally
    many answers, fewer where answers are few or have equal probabilities. `probabilities` and
    `truths` are (n,). Raises ValueError without answers."""
    predicted, truth = np.asarray(probabilities, dtype=float), np.asarray(truths, dtype=float)
    if not len(predicted) or len(predicted) != len(truth):
        raise ValueError("Reliability needs answers, each with its probability.")
    edges = np.quantile(predicted, np.linspace(0, 1, bins + 1))[1:-1]
    number = np.searchsorted(edges, predicted)
    parts = [np.flatnonzero(number == one) for one in np.unique(number)]
    return [
        Bin(
            float(predicted[part].mean()),
            wilson(int(truth[part].sum()), len(part), confidence),
            len(part),
        )
        for part in parts
    ]


def brier_score(probabilities: npt.ArrayLike, truths: npt.ArrayLike) -> float:
    """Return the mean squared error of probabilities, summed over categories where there are some.

    `probabilities` (n,) with `truths` (n,), each 0 or 1; or `probabilities` (n, k) with the numbers
    of the true categories (n,). Source: G. Brier, "Verification of forecasts expressed in terms of
    probability", Monthly Weather Review 78, 1950.
    """
    predicted, truth = np.asarray(probabilities, dtype=float), np.asarray(truths)
    if predicted.ndim == 1:
        return float(np.mean((predicted - truth) ** 2))
    return float(np.mean(((predicted - np.eye(predicted.shape[1])[truth]) ** 2).sum(axis=1)))


def precision(
    accepted: npt.ArrayLike,
    truths: npt.ArrayLike,
    strata: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
    *,
    confidence: float = CONFIDENCE,
    interval: Interval = wilson,
) -> Estimate | None:
    """Return which share of the accepted pictures of a library is right, from a stratified random
    sample of it; None if no picture of the sample is accepted.

    All (m,): whether the pictures of the sample are `accepted`, whether that is true, the number of
    the stratum of each, and how many pictures of the library it stands for (`weights`, equal within
    a stratum). By default all are of one stratum.
    """
    taken, truth = np.asarray(accepted, dtype=bool), np.asarray(truths, dtype=bool)
    stratum = np.zeros(len(taken), dtype=int) if strata is None else np.asarray(strata)
    weight = np.ones(len(taken)) if weights is None else np.asarray(weights, dtype=float)
    return share(_counts(truth[taken], stratum[taken], weight[taken]), confidence, interval)


def _counts(
    successes: npt.NDArray[np.bool_], strata: npt.NDArray[np.int64], weights: Floats
) -> Counts:
    """Count the successes of each stratum that occurs."""
    _numbers, place = np.unique(strata, return_inverse=True)
    return Counts(
        np.bincount(place, successes).astype(int),
        np.bincount(place),
        np.asarray(np.bincount(place, weights), dtype=float),
    )


def confusion_matrix(classes: npt.ArrayLike, predictions: npt.ArrayLike, k: int) -> Integers:
    """Return how often pictures of a category (rows) were put into each one (columns): (k, k), from
    true `classes` (n,) and `predictions` (n,), numbers below k."""
    truth, predicted = np.asarray(classes, dtype=int), np.asarray(predictions, dtype=int)
    return np.bincount(truth * k + predicted, minlength=k * k).reshape(k, k)


def by_class(confusion: npt.ArrayLike, confidence: float = CONFIDENCE) -> list[ClassQuality]:
    """Return precision and recall of each category, from a confusion matrix (k, k)."""
    matrix = np.asarray(confusion, dtype=int)
    right, predicted, true = matrix.diagonal(), matrix.sum(axis=0), matrix.sum(axis=1)
    return [
        ClassQuality(
            wilson(int(hits), int(put), confidence) if put else None,
            wilson(int(hits), int(are), confidence) if are else None,
            int(are),
        )
        for hits, put, are in zip(right, predicted, true, strict=True)
    ]

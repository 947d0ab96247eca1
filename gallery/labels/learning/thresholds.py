"""Thresholds by wish, and buckets whose stated rate holds.

A wish is met by calibrated probabilities: their mean above a threshold is the share expected to be
right. A rate that must hold is proved by answers of a stratified random sample, and therefore
needs more of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gallery.labels.learning import quality
from gallery.labels.learning.intervals import Estimate, clopper_pearson

Floats = npt.NDArray[np.float64]

# The default of buckets: the rate, and how sure one is that it holds.
RATE = 0.9
CONFIDENCE = 0.9


@dataclass(frozen=True)
class Threshold:
    """Pictures with at least this `probability` are of the category: `pictures` of the library.
    `precision` is the share of them that is expected to be right, None for no picture; `recall` the
    share of all right ones that is expected among them."""

    probability: float
    pictures: float
    precision: float | None
    recall: float


@dataclass(frozen=True)
class Buckets:
    """Pictures with at least the probability `sure` are surely of the category, those below `no`
    surely not; in between nobody knows. None: the answers prove nothing yet, and the bucket is
    empty. `no` <= `sure`.

    `precision` is the proved share of right ones among the sure ones, with its interval.
    """

    sure: float | None
    no: float | None
    precision: Estimate | None


# --- Wishes, by expectation -----------------------------------------------------------


def at_least_right(
    probabilities: npt.ArrayLike, wish: float, counts: npt.ArrayLike | None = None
) -> Threshold:
    """Return the lowest threshold above which a share of at least `wish` is expected to be right.

    `probabilities` (n,) are the calibrated ones of the library, in any order; `counts` (n,) says
    for how many pictures each stands (a histogram), by default one. If not even the likeliest
    pictures reach the wish, the threshold is above 1 and no picture is taken.
    """
    probability, taken, right = _cumulated(probabilities, counts)
    enough = np.flatnonzero(right >= wish * taken * (1 - 1e-12))
    if not len(enough):
        return Threshold(math.nextafter(1.0, 2.0), 0, None, 0.0)
    return _threshold(probability, taken, right, int(enough[-1]))


def nearly_all(
    probabilities: npt.ArrayLike, wish: float, counts: npt.ArrayLike | None = None
) -> Threshold:
    """Return the highest threshold above which a share of at least `wish` of all right pictures is
    expected. Arguments as in `at_least_right`. Raises ValueError without pictures."""
    probability, taken, right = _cumulated(probabilities, counts)
    if not len(probability):
        raise ValueError("A threshold needs the probabilities of a library.")
    enough = np.flatnonzero(right >= wish * right[-1] * (1 - 1e-12))
    return _threshold(probability, taken, right, int(enough[0]))


def at(
    probabilities: npt.ArrayLike, threshold: float, counts: npt.ArrayLike | None = None
) -> Threshold:
    """Return what is expected of a threshold that somebody chose. Arguments as in
    `at_least_right`."""
    probability, taken, right = _cumulated(probabilities, counts)
    above = np.flatnonzero(probability >= threshold)
    if not len(above):
        return Threshold(threshold, 0, None, 0.0)
    found = _threshold(probability, taken, right, int(above[-1]))
    return Threshold(threshold, found.pictures, found.precision, found.recall)


def _cumulated(
    probabilities: npt.ArrayLike, counts: npt.ArrayLike | None
) -> tuple[Floats, Floats, Floats]:
    """Return the distinct probabilities (m,) from the highest on, and how many pictures, and how
    many right ones, are expected from there on."""
    every = np.asarray(probabilities, dtype=float)
    weight = np.ones(len(every)) if counts is None else np.asarray(counts, dtype=float)
    distinct, place = np.unique(every, return_inverse=True)
    count = np.asarray(np.bincount(place, weight, minlength=len(distinct)), dtype=float)[::-1]
    probability = distinct[::-1]
    return probability, np.cumsum(count), np.cumsum(count * probability)


def _threshold(probability: Floats, taken: Floats, right: Floats, last: int) -> Threshold:
    whole = right[-1]
    return Threshold(
        float(probability[last]),
        float(taken[last]),
        float(right[last] / taken[last]) if taken[last] else None,
        float(right[last] / whole) if whole else 0.0,
    )


# --- Rates that hold, by answers --------------------------------------------------------


def buckets(
    probabilities: npt.ArrayLike,
    truths: npt.ArrayLike,
    strata: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
    *,
    rate: float = RATE,
    confidence: float = CONFIDENCE,
) -> Buckets:
    """Return the buckets for a stratified random sample of answers, all (m,) as in
    `quality.precision`.

    - Of the sure pictures, at least `rate` are right, with `confidence`.
    - Of the right pictures, at most 1 - `rate` are expected in the bucket no.
    """
    probability = np.asarray(probabilities, dtype=float)
    truth = np.asarray(truths, dtype=bool)
    weight = np.ones(len(truth)) if weights is None else np.asarray(weights, dtype=float)
    sure, precision = _sure(probability, truth, strata, weight, rate, confidence)
    no = conformal_floor(probability, truth, weight, rate=rate)
    if sure is not None and no is not None:
        no = min(no, sure)
    return Buckets(sure, no, precision)


def conformal_floor(
    probabilities: npt.ArrayLike,
    truths: npt.ArrayLike,
    weights: npt.ArrayLike | None = None,
    *,
    rate: float,
) -> float | None:
    """Return the highest threshold below which at most a share 1 - `rate` of the right pictures is
    expected, from a random sample: `probabilities`, `truths` and `weights`, all (m,). None where
    right answers are too few, or weigh too little: without weights, below rate / (1 - rate).

    Split conformal prediction, for one class alone: V. Vovk, A. Gammerman and G. Shafer,
    "Algorithmic learning in a random world", 2005, section 4.5; with weights: R. Tibshirani,
    R. Foygel Barber, E. Candès and A. Ramdas, "Conformal prediction under covariate shift",
    NeurIPS 2019. The unknown weight of the next right picture is taken to be the largest of all.
    """
    probability, truth = np.asarray(probabilities, dtype=float), np.asarray(truths, dtype=bool)
    if not truth.any():
        return None
    weight = np.ones(len(truth)) if weights is None else np.asarray(weights, dtype=float)
    largest = weight.max()
    order = np.flatnonzero(truth)[np.argsort(probability[truth], kind="stable")]
    # For each right answer: what lies below it, if the next picture does as well.
    below = np.cumsum(weight[order]) - weight[order] + largest
    allowed = (1 - rate) * (weight[order].sum() + largest)
    # Products like 0.1 * 10 are a little off.
    kept = np.flatnonzero(below <= allowed * (1 + 1e-9))
    return float(probability[order][kept[-1]]) if len(kept) else None


def _sure(
    probability: Floats,
    truth: npt.NDArray[np.bool_],
    strata: npt.ArrayLike | None,
    weight: Floats,
    rate: float,
    confidence: float,
) -> tuple[float | None, Estimate | None]:
    """Return the lowest threshold whose precision is proved, and that precision.

    Thresholds are tried from the highest on that leaves enough answers to prove the rate if all are
    right, down to the first that fails. The order does not depend on the verdicts, so no
    correction for many trials is needed. Source: A. Angelopoulos, S. Bates, E. Candès, M. Jordan
    and L. Lei, "Learn then test: calibrating predictive algorithms to achieve risk control", 2021,
    section 2.2 (fixed sequence testing).
    """
    # The interval has two sides; only the lower one is used.
    two_sided = 2 * confidence - 1
    least = math.ceil(math.log(1 - confidence) / math.log(rate))
    found: tuple[float | None, Estimate | None] = (None, None)
    for threshold in np.unique(probability)[::-1]:
        accepted = probability >= threshold
        if accepted.sum() < least:
            continue
        precision = quality.precision(
            accepted, truth, strata, weight, confidence=two_sided, interval=clopper_pearson
        )
        if precision is None or precision.low < rate:
            break
        found = (float(threshold), precision)
    return found

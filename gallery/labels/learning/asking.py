"""Which pictures to ask people about: those that teach most, and a random sample that measures.

Both are needed. What is asked because it is uncertain says nothing about the library as a whole,
so precision and recall are estimated from the sample alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

STRATA = 6
# Of how many times the wanted pictures, the ones nearest to the threshold, the spread ones are
# taken.
_CHOICE = 8
# The least uncertainty of a picture: a model that is sure of everything is asked everywhere.
_LEAST = 0.01


@dataclass(frozen=True)
class Sample:
    """A stratified random sample of a library, in the order in which it is asked.

    `pictures` (m,) are places in the library, `strata` (m,) the numbers of their strata, and
    `sizes` (h,) the pictures of each stratum in the library. Any beginning of it is a stratified
    random sample too.
    """

    pictures: Integers
    strata: Integers
    sizes: Integers


def draw_sample(
    probabilities: npt.ArrayLike, count: int, *, seed: int, strata: int = STRATA
) -> Sample:
    """Draw a stratified random sample of at most `count` pictures of a library.

    `probabilities` (n,) are those of the category. The strata have equal sums of sqrt(p (1 - p)),
    the spread of an answer, and take turns: the sure pictures, of which most libraries consist, are
    asked rarely, the uncertain ones often. The same seed draws the same sample.

    Source: J. Neyman, "On the two different aspects of the representative method", Journal of the
    Royal Statistical Society 97, 1934 (sizes of samples); T. Dalenius and J. Hodges, "Minimum
    variance stratification", JASA 54, 1959 (borders).
    """
    probability = np.asarray(probabilities, dtype=float)
    stratum = _strata(probability, strata)
    drawn = np.random.default_rng(seed).permutation(len(probability))
    # Turns: all first pictures of the strata, then all second ones, from the highest stratum on.
    turn = np.empty(len(drawn), dtype=int)
    for number in range(strata):
        members = np.flatnonzero(stratum[drawn] == number)
        turn[members] = np.arange(len(members))
    chosen = drawn[np.lexsort((-stratum[drawn], turn))][:count]
    return Sample(chosen, stratum[chosen], np.bincount(stratum, minlength=strata))


def weights(strata: npt.ArrayLike, sizes: npt.ArrayLike) -> tuple[Integers, Floats]:
    """Return the strata (m,) of answered pictures of a sample, and how many pictures of the library
    each stands for (m,).

    `strata` (m,) are those of the sample, `sizes` (h,) the pictures of each. A stratum without
    answers is joined to the nearest one with answers, of two the lower one.
    """
    stratum, size = np.asarray(strata, dtype=int), np.asarray(sizes, dtype=float)
    answered = np.unique(stratum)
    if not len(answered):
        return stratum, np.empty(0)
    nearest = answered[np.abs(np.arange(len(size))[:, None] - answered).argmin(axis=1)]
    joined = np.bincount(nearest, size, minlength=len(size))
    return stratum, joined[stratum] / np.bincount(stratum, minlength=len(size))[stratum]


def most_telling(
    probabilities: npt.ArrayLike,
    threshold: float,
    count: int,
    *,
    answered: npt.ArrayLike | None = None,
    groups: npt.ArrayLike | None = None,
    places: npt.ArrayLike | None = None,
) -> Integers:
    """Return at most `count` pictures to ask next, as places (c,) in the library, the nearest to
    the threshold first.

    `probabilities` (n,) and `threshold` are those of the category. `answered` (n,) marks pictures
    that are not asked, nor is anything else of their groups. `groups` (n,) numbers groups of
    near-duplicates, of which one is asked; a picture without a group has a number below 0. `places`
    (n, 2) on the map spread the questions: each is the candidate farthest from those chosen.

    Source: O. Sener and S. Savarese, "Active learning for convolutional neural networks: a core-set
    approach", ICLR 2018 (farthest first).
    """
    distance = np.abs(_logits(probabilities) - _logits([threshold])[0])
    order = np.argsort(distance, kind="stable")
    order = _one_of_each_group(order, answered, groups)
    if places is None:
        return order[:count]
    candidates = order[: _CHOICE * count]
    chosen = _farthest_first(np.asarray(places, dtype=float)[candidates], count)
    return candidates[np.sort(chosen)]


def _strata(probability: Floats, strata: int) -> Integers:
    """Return the number of the stratum of each picture (n,), 0 for the lowest probabilities."""
    order = np.argsort(probability, kind="stable")
    spread = np.maximum(np.sqrt(probability * (1 - probability)), _LEAST)[order]
    share = np.cumsum(spread) / max(spread.sum(), _LEAST)
    number = np.empty(len(order), dtype=int)
    number[order] = np.minimum((share * strata).astype(int), strata - 1)
    return number


def _logits(probabilities: npt.ArrayLike) -> Floats:
    inside = np.clip(np.asarray(probabilities, dtype=float), 1e-12, 1 - 1e-12)
    return np.log(inside) - np.log1p(-inside)


def _one_of_each_group(
    order: Integers, answered: npt.ArrayLike | None, groups: npt.ArrayLike | None
) -> Integers:
    """Return the order without answered pictures and their groups, and with the first of each
    other group alone."""
    done = np.zeros(len(order), bool) if answered is None else np.asarray(answered, dtype=bool)
    # A picture without a group is one of its own.
    group = -1 - np.arange(len(order))
    if groups is not None:
        given = np.asarray(groups, dtype=int)
        group = np.where(given >= 0, given, group)
    order = order[~np.isin(group, group[done])[order]]
    _groups, first = np.unique(group[order], return_index=True)
    return order[np.sort(first)]


def _farthest_first(places: Floats, count: int) -> Integers:
    """Return `count` of the places (n, 2), as indices: the first one, and each time the one that is
    farthest from all chosen ones."""
    if not len(places):
        return np.empty(0, dtype=int)
    chosen = [0]
    nearest = np.linalg.norm(places - places[0], axis=1)
    nearest[0] = -1.0
    while len(chosen) < min(count, len(places)):
        chosen.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, np.linalg.norm(places - places[chosen[-1]], axis=1))
        nearest[chosen[-1]] = -1.0
    return np.array(chosen)

"""Confidence intervals of proportions, from plain and from stratified samples.

They need numpy alone: the web process computes them while people answer.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

CONFIDENCE = 0.95

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """An estimated share with its interval: 0 <= `low` <= `value` <= `high` <= 1."""

    value: float
    low: float
    high: float


Interval = Callable[[int, int, float], Estimate]


def wilson(successes: int, count: int, confidence: float = CONFIDENCE) -> Estimate:
    """Return the share of successes among `count`, with a two-sided interval that covers the truth
    about as often as `confidence` says. Raises ValueError unless 0 <= successes <= count > 0.

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
    JASA 22, 1927.
    """
    value = _share(successes, count)
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    scale = 1 + z**2 / count
    middle = (value + z**2 / (2 * count)) / scale
    reach = z / scale * math.sqrt(value * (1 - value) / count + z**2 / (4 * count**2))
    # Rounding must not leave the share outside.
    low, high = max(middle - reach, 0.0), min(middle + reach, 1.0)
    return Estimate(value, min(low, value), max(high, value))


# Trying thresholds asks for the same counts again and again.
@lru_cache(maxsize=10_000)
def clopper_pearson(successes: int, count: int, confidence: float = CONFIDENCE) -> Estimate:
    """Return the share of successes among `count`, with a two-sided interval that covers the truth
    at least as often as `confidence` says. Raises ValueError unless 0 <= successes <= count > 0.

    Source: C. Clopper and E. Pearson, "The use of confidence or fiducial limits illustrated in the
    case of the binomial", Biometrika 26, 1934.
    """
    value = _share(successes, count)
    error = (1 - confidence) / 2
    low = _least_share(successes, count, error)
    high = 1 - _least_share(count - successes, count, error)
    return Estimate(value, low, high)


@dataclass(frozen=True)
class Counts:
    """Random samples of the strata of a population: for each stratum the number of `successes` in
    its sample, the `count` of its sample, and its `size` in the population; all (h,). A stratum
    without a sample has no place here."""

    successes: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int64]
    sizes: Floats

    def total(self, confidence: float, interval: Interval) -> tuple[float, float, float]:
        """Return the estimated number of successes in the population, and its limits."""
        cells = [
            interval(int(hits), int(count), confidence)
            for hits, count in zip(self.successes, self.counts, strict=True)
        ]
        values, lows, highs = (
            np.array([getattr(cell, end) for cell in cells]) for end in ("value", "low", "high")
        )
        value = float(self.sizes @ values)
        below = float(np.linalg.norm(self.sizes * (values - lows)))
        above = float(np.linalg.norm(self.sizes * (highs - values)))
        return value, max(value - below, 0.0), min(value + above, float(self.sizes.sum()))


def share(
    counts: Counts, confidence: float = CONFIDENCE, interval: Interval = wilson
) -> Estimate | None:
    """Return the share of successes in the population; None without any sample. Each stratum has
    an interval of its own. Distances to the limits are combined as those of independent estimates,
    so a single stratum keeps its interval.

    Source: G. Zou and A. Donner, "Construction of confidence limits about effect measures: a
    general approach", Statistics in Medicine 27, 2008.
    """
    if not len(counts.sizes):
        return None
    size = float(counts.sizes.sum())
    value, low, high = counts.total(confidence, interval)
    return Estimate(value / size, low / size, high / size)


def _share(successes: int, count: int) -> float:
    if not 0 <= successes <= count or not count:
        raise ValueError(f"{successes} of {count} is no share.")
    return successes / count


def _least_share(successes: int, count: int, error: float) -> float:
    """Return the share with which `successes` or more of `count` have the probability `error`."""
    if not successes:
        return 0.0
    hits = np.arange(successes, count + 1)
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, count + 1)))])
    ways = logs[count] - logs[hits] - logs[count - hits]
    low, high = 0.0, 1.0
    for _halving in range(50):
        middle = (low + high) / 2
        tail = np.exp(ways + hits * math.log(middle) + (count - hits) * math.log1p(-middle)).sum()
        low, high = (middle, high) if tail < error else (low, middle)
    return low

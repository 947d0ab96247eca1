"""Chance: the scores that unrelated pictures give a query.

Chance is a normal distribution, an empirical null distribution (B. Efron, "Large-scale
simultaneous hypothesis testing: the choice of a null hypothesis", JASA 99, 2004). Its centre is the
median of the query's scores on a random sample of the library, limited to two standard deviations
around the mean of the medians of other queries: in a library of dogs the median of a dog is not
chance. Its spread is the spread of the scores of other queries.

The relevance line is the lowest score with an expected share of chance of at most a third among
the sampled pictures above it (Y. Benjamini and Y. Hochberg, "Controlling the false discovery
rate", JRSS B 57, 1995). Frequent subjects have a low line, rare ones a high line.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from gallery.encoders.base import Vectors
from gallery.search.nearest.sample import Sample

# The accepted share of chance among the scores above the relevance line.
FALSE_SHARE = 1 / 3
# The range of the relevance line, in spreads above the centre of chance. Below it, matches and
# chance are indistinguishable. Above it, a sample of a thousand pictures is too small.
LOWEST, HIGHEST = 1.25, 2.5
# A query is common if at least this many sampled pictures, and this share of the sample, match it.
# A common query has matches, however low the best score.
COMMON_PICTURES, COMMON_SHARE = 10, 0.05
# The number of sampled pictures that serve as queries on the others.
_QUERY_PICTURES = 64

# The candidate heights of the relevance line, and the share above each by chance.
_HEIGHTS = np.arange(LOWEST, HIGHEST, 0.05)
_ABOVE_BY_CHANCE = np.array([math.erfc(height / math.sqrt(2)) / 2 for height in _HEIGHTS])


@dataclass(frozen=True)
class Chance:
    """Statistics of the cosines between unrelated queries and pictures.

    `centre` is the mean of the queries' medians, `scatter` their standard deviation;
    `spread` is the standard deviation of one query's scores.
    """

    centre: float
    scatter: float
    spread: float


def of(usual: Chance | None, scores: Vectors) -> Chance:
    """Return the chance of a query from its scores (n,) on the sample. `usual` is the usual one of
    such queries."""
    centre = float(np.median(scores))
    if usual is None:
        return Chance(centre, 0.0, float(np.std(scores)))
    scattered = 2 * usual.scatter
    centre = min(max(centre, usual.centre - scattered), usual.centre + scattered)
    return Chance(centre, 0.0, usual.spread)


def line(scores: Vectors, chance: Chance) -> tuple[float, bool]:
    """Return the relevance line of a query with these scores (n,) on the sample, and whether the
    query is common. The spread of chance is not 0."""
    heights = np.sort((scores - chance.centre) / chance.spread)
    above = 1 - np.searchsorted(heights, _HEIGHTS) / len(heights)
    # All scores below the centre are chance, and as many chance scores lie above it.
    by_chance = min(1.0, 2 * float(np.mean(heights < 0))) * _ABOVE_BY_CHANCE
    kept = np.flatnonzero((above > 0) & (by_chance <= FALSE_SHARE * above))
    height, share = (_HEIGHTS[kept[0]], above[kept[0]]) if len(kept) else (HIGHEST, 0.0)
    is_common = bool(share >= max(COMMON_SHARE, COMMON_PICTURES / len(heights)))
    return chance.centre + float(height) * chance.spread, is_common


@lru_cache(maxsize=2)
def of_pictures(drawn: Sample) -> Chance:
    """Summarise the scores of sampled pictures as queries on the other pictures of the sample."""
    queries = drawn.vectors[:_QUERY_PICTURES]
    return summary([np.delete(drawn.vectors @ query, i) for i, query in enumerate(queries)])


def summary(scores: list[Vectors]) -> Chance:
    """Summarise the scores (n,) of several queries. Few pictures match each query."""
    medians = [float(np.median(row)) for row in scores]
    return Chance(
        centre=float(np.mean(medians)),
        # In a small library this includes the sampling error of its few pictures. If the error
        # were subtracted, meaningless queries would find something there.
        scatter=float(np.std(medians)),
        spread=float(np.mean([row.std() for row in scores])),
    )

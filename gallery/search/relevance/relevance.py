"""The relevance of results: scores compared with the scores that a query gets by chance.

Chance is the normal distribution of a query's scores on unrelated pictures, an empirical null
distribution (B. Efron, "Large-scale simultaneous hypothesis testing: the choice of a null
hypothesis", JASA 99, 2004):

- Its centre is the median of the query's scores on a random sample of the library. In a library of
  dogs the median of "a dog" is not chance. The centre is therefore limited to two standard
  deviations around the mean of the medians of unrelated texts in this space
  (gallery.search.relevance.calibration).
- Its spread is the spread of the scores of unrelated texts.

The calibration does not cover sums of several terms. The chance of a sum comes from the sampled
pictures that match none of its terms. Pictures that match a negative term are not chance either and
would widen the spread. If nearly all pictures match a term, centre and spread are combined from
those of the terms, as if the terms were independent.

Two rules follow.

- The relevance line is the lowest score with an expected share of chance of at most a third among
  the sampled pictures above it (Y. Benjamini and Y. Hochberg, "Controlling the false discovery
  rate", JRSS B 57, 1995). Frequent subjects have a low line, rare ones a high line.
- Something matches if the best of n scores exceeds the best of n scores by chance, spread *
  sqrt(2 ln n) above the centre (the universal threshold of D. Donoho and I. Johnstone, "Ideal
  spatial adaptation by wavelet shrinkage", Biometrika 81, 1994).

docs/decisions has the figures; `make bench ARGS="relevance --help"` measures them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal
from uuid import UUID

import numpy as np

from gallery.encoders.base import Vectors
from gallery.models import EmbeddingSpace
from gallery.search.nearest import sample
from gallery.search.nearest.sample import Sample
from gallery.search.nearest.scans import Kind
from gallery.search.relevance import calibration
from gallery.search.relevance.calibration import Chance

Fit = Literal["excellent", "good", "fair", "weak"]

# The accepted share of chance among the scores above the relevance line.
FALSE_SHARE = 1 / 3
# The range of the relevance line, in spreads above the centre of chance. Below it, matches and
# chance are indistinguishable. Above it, a sample of a thousand pictures is too small.
LOWEST, HIGHEST = 1.25, 2.5
# A query is common if at least this many sampled pictures, and this share of the sample, match it.
# A common query has matches, however low the best score.
COMMON_PICTURES, COMMON_SHARE = 10, 0.05
# Matches are good and excellent from this many spreads above the relevance line on.
GOOD, EXCELLENT = 1.0, 2.0
# The scale, in spreads, of the logistic bar around the relevance line. The bar is four fifths full
# at `GOOD` and at most a sixth at the centre of chance.
_STEEPNESS = 0.75

# The most sure matches that a judgement keeps.
_SURE_AT_MOST = 20
# Fewer pictures that match no term do not determine the spread of a sum.
_ENOUGH = 30
# The relevance line of a query with only negative terms, in spreads above the centre: 95 % of the
# unrelated pictures are above it (one-sided normal distribution).
_KEPT_HEIGHT = -1.645

# The candidate heights of the relevance line, and the share above each by chance.
_HEIGHTS = np.arange(LOWEST, HIGHEST, 0.05)
_ABOVE_BY_CHANCE = np.array([math.erfc(height / math.sqrt(2)) / 2 for height in _HEIGHTS])


@dataclass(frozen=True)
class Judgement:
    """The meaning of one query's scores. `line` is the relevance line, the least score of a match.
    Without a line nothing is known (too few pictures), and `fit` returns None.

    `centre` and `spread` are those of chance. `is_common`: the sample has many matches. `pictures`
    is about the number of pictures in the library. `sure` are some sampled pictures that match
    beyond chance. They may belong to anybody, so they are never revealed to a searcher who may not
    see them.
    """

    line: float | None = None
    centre: float = 0.0
    spread: float = 1.0
    is_common: bool = False
    pictures: int = 0
    sure: tuple[UUID, ...] = ()

    def fit(self, score: float) -> Fit | None:
        if self.line is None:
            return None
        above = (score - self.line) / self.spread
        if above < 0:
            return "weak"
        if above < GOOD:
            return "fair"
        return "good" if above < EXCELLENT else "excellent"

    def share(self, score: float) -> float:
        """Return the length of the bar of a score, in [0, 1]: a half at the relevance line."""
        if self.line is None:
            return min(max(score, 0.0), 1.0)
        steps = (score - self.line) / (_STEEPNESS * self.spread)
        return 1 / (1 + math.exp(-min(max(steps, -30.0), 30.0)))

    def settled(self, best: float, among: int | None = None) -> Judgement:
        """Return the judgement given the best score of `among` compared pictures (by default the
        library). If chance would give as good a score, nothing matches well, and the relevance
        line is raised above all scores."""
        if self.line is None or self.is_common:
            return self
        by_chance = self._best_by_chance(among or self.pictures)
        return self if best >= by_chance else replace(self, line=max(self.line, by_chance))

    def with_sure(self, scores: Vectors, drawn: Sample) -> Judgement:
        """Return the judgement with the sure matches of the sample, whose scores (n,) are given."""
        best = np.flatnonzero(scores >= self._best_by_chance(self.pictures))[:_SURE_AT_MOST]
        return replace(self, sure=tuple(drawn.ids[place] for place in best))

    def _best_by_chance(self, compared: int) -> float:
        """Return the best of `compared` scores by chance."""
        return self.centre + self.spread * math.sqrt(2 * math.log(max(compared, 2)))


@dataclass(frozen=True)
class Part:
    """A term of a query: its unit vector (d,), and its share in the query vector, which is the sum
    of share * vector."""

    vector: Vectors
    kind: Kind
    share: float = 1.0


def judge(
    space: EmbeddingSpace, vector: Vectors, kind: Kind, parts: Sequence[Part] = ()
) -> Judgement:
    """Return the meaning of scores of the unit vector (d,) in `space`. `parts` are the terms that
    the vector is the sum of; without them it is a single term."""
    drawn = sample.sample_of(space)
    if drawn is None:
        return Judgement()
    scores = drawn.vectors @ vector
    parts = parts or [Part(vector, kind)]
    usual = [calibration.chance_of(space, part.kind, drawn) for part in parts]
    if len(parts) == 1 and parts[0].share > 0:
        return of_scores(scores, usual[0], drawn.pictures).with_sure(scores, drawn)
    shares = np.array([part.share for part in parts])
    of_parts = drawn.vectors @ np.stack([part.vector for part in parts]).T
    return of_sum(scores, of_parts, shares, usual, drawn.pictures).with_sure(scores, drawn)


def best_by_chance(space: EmbeddingSpace, texts: Vectors) -> Vectors | None:
    """Return a threshold (m,) for each of m texts, unit vectors (m, d), that the best text for a
    picture does not exceed by chance: centre + spread * sqrt(2 ln m) of the text, as in
    `Judgement`. None if there are too few pictures to know chance."""
    drawn = sample.sample_of(space)
    if drawn is None:
        return None
    usual = calibration.chance_of(space, "text", drawn)
    chances = [_chance(usual, scores) for scores in (drawn.vectors @ texts.T).T]
    reach = math.sqrt(2 * math.log(max(len(texts), 2)))
    return np.array([chance.centre + reach * chance.spread for chance in chances], dtype="f4")


def of_scores(scores: Vectors, usual: Chance | None, pictures: int) -> Judgement:
    """Return the judgement of one text or picture from its `scores` (n,) on a sample of a library
    of `pictures` pictures. `usual` is the usual chance of such queries."""
    return _judged(scores, _chance(usual, scores), pictures)


def of_sum(
    scores: Vectors,
    of_parts: Vectors,
    shares: Vectors,
    usual: Sequence[Chance | None],
    pictures: int,
) -> Judgement:
    """Return the judgement of a sum of m terms with the given `shares` (m,). The terms alone have
    the scores `of_parts` (n, m) and the `usual` chances."""
    chances = [_chance(one, part) for one, part in zip(usual, of_parts.T, strict=True)]
    centre = float(np.dot(shares, [chance.centre for chance in chances]))
    spread = float(np.linalg.norm(shares * [chance.spread for chance in chances]))
    if np.all(shares < 0):
        if spread <= 0:  # all pictures are the same to this query
            return Judgement()
        line = centre + _KEPT_HEIGHT * spread
        return Judgement(line, centre, spread, is_common=True, pictures=pictures)
    matching = np.zeros(len(scores), dtype=bool)
    for chance, part in zip(chances, of_parts.T, strict=True):
        least = _judged(part, chance, pictures).line
        matching |= part >= (np.inf if least is None else least)
    rest = scores[~matching]
    if len(rest) >= _ENOUGH:
        centre, spread = float(np.median(rest)), float(rest.std())
    return _judged(scores, Chance(centre, 0.0, spread), pictures)


def _judged(scores: Vectors, chance: Chance, pictures: int) -> Judgement:
    """Return the judgement of a query from its scores (n,) on the sample and its chance."""
    if chance.spread <= 0:  # all pictures are the same to this query
        return Judgement()
    heights = np.sort((scores - chance.centre) / chance.spread)
    above = 1 - np.searchsorted(heights, _HEIGHTS) / len(heights)
    # All scores below the centre are chance, and as many chance scores lie above it.
    by_chance = min(1.0, 2 * float(np.mean(heights < 0))) * _ABOVE_BY_CHANCE
    kept = np.flatnonzero((above > 0) & (by_chance <= FALSE_SHARE * above))
    height, share = (_HEIGHTS[kept[0]], above[kept[0]]) if len(kept) else (HIGHEST, 0.0)
    return Judgement(
        line=chance.centre + float(height) * chance.spread,
        centre=chance.centre,
        spread=chance.spread,
        is_common=bool(share >= max(COMMON_SHARE, COMMON_PICTURES / len(heights))),
        pictures=pictures,
    )


def _chance(usual: Chance | None, scores: Vectors) -> Chance:
    """Return the null distribution of a single query from its scores (n,) on the sample. `usual` is
    the usual one of such queries."""
    centre = float(np.median(scores))
    if usual is None:
        return Chance(centre, 0.0, float(np.std(scores)))
    scattered = 2 * usual.scatter
    centre = min(max(centre, usual.centre - scattered), usual.centre + scattered)
    return Chance(centre, 0.0, usual.spread)

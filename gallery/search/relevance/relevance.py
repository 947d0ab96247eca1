"""How well results fit: scores beside those that the same query gets by chance.

Chance is the normal distribution of the scores that a query gets on pictures that have
nothing to do with it, an empirical null distribution (B. Efron, "Large-scale
simultaneous hypothesis testing: the choice of a null hypothesis", JASA 99, 2004):

- its centre is the median of the query's scores on a random sample of the library. In a
  library of dogs the median of "a dog" is no chance, so it counts only as far as the
  medians of unrelated texts are scattered in this space (gallery.search.relevance.calibration);
- its spread is that of the unrelated texts' scores.

A sum of several terms lies where none of the calibration does. Its chance is told by the
pictures of the sample that match no term of it: what a minus keeps away is no chance
either, and would make it look wide. Where nearly all match something, centre and spread
are summed up from those of the terms, as if these had nothing to do with each other.

Two rules follow from it.

- The line: the lowest score at which, of the sample's pictures above it, at most a third
  are to be expected by chance (Y. Benjamini and Y. Hochberg, "Controlling the false
  discovery rate", JRSS B 57, 1995). What is frequent has a low line, and what is rare a
  high one.
- Whether anything matches at all: the best of n scores exceeds what the best of n scores
  by chance does, spread * sqrt(2 ln n) above the centre (the universal threshold of
  D. Donoho and I. Johnstone, "Ideal spatial adaptation by wavelet shrinkage",
  Biometrika 81, 1994).

Figures stand in docs/decisions; `make bench ARGS="relevance --help"` makes them.
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

# Of what stands above the line, so much may be chance.
FALSE_SHARE = 1 / 3
# The line lies between these, in spreads above the centre of chance: lower, nothing is
# told apart; higher, a thousand pictures do not tell what is rare.
LOWEST, HIGHEST = 1.25, 2.5
# What so many pictures of the sample have in common, and so much of it, is there, however
# low the best score.
COMMON_PICTURES, COMMON_SHARE = 10, 0.05
# A spread further above the line, the word is a better one.
GOOD, EXCELLENT = 1.0, 2.0
# How fast the bar of a score grows around the line, in spreads: at `GOOD` it is four
# fifths full, at the centre of chance all but empty.
_STEEPNESS = 0.75

# So many of those that match beyond doubt are remembered.
_SURE_AT_MOST = 20
# With fewer pictures that match no term the spread of a sum is not told by them.
_ENOUGH = 30
# A query of minuses alone is matched by all but what they keep away: by so many of those
# that match none of them (one-sided, of a normal distribution).
_KEPT_HEIGHT = -1.645  # 95 %

# The heights that are tried for the line, and how much lies above each by chance.
_HEIGHTS = np.arange(LOWEST, HIGHEST, 0.05)
_ABOVE_BY_CHANCE = np.array([math.erfc(height / math.sqrt(2)) / 2 for height in _HEIGHTS])


@dataclass(frozen=True)
class Judgement:
    """What the scores of one query mean. `line` is the least score of a match; without
    one nothing is known (too few pictures), and `fit` is None.

    `centre` and `spread` are those of chance, `is_common` says that the sample itself has
    many matches, and `pictures` about how many the library has. `sure` are some pictures of
    the sample that match beyond doubt: of anybody, so none is shown or told of unless the
    searcher may see it.
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
        """How long the bar of this score is, in [0, 1]: half at the line."""
        if self.line is None:
            return min(max(score, 0.0), 1.0)
        steps = (score - self.line) / (_STEEPNESS * self.spread)
        return 1 / (1 + math.exp(-min(max(steps, -30.0), 30.0)))

    def settled(self, best: float, among: int | None = None) -> Judgement:
        """This judgement once the best score is known, of `among` pictures that were
        compared (the library, unless said): where chance alone would give as much, the
        line is raised above all of them, since nothing matches well."""
        if self.line is None or self.is_common:
            return self
        by_chance = self._best_by_chance(among or self.pictures)
        return self if best >= by_chance else replace(self, line=max(self.line, by_chance))

    def with_sure(self, scores: Vectors, drawn: Sample) -> Judgement:
        """This judgement, told the pictures of the sample, of which these are the scores."""
        best = np.flatnonzero(scores >= self._best_by_chance(self.pictures))[:_SURE_AT_MOST]
        return replace(self, sure=tuple(drawn.ids[place] for place in best))

    def _best_by_chance(self, compared: int) -> float:
        """What the best of so many scores is by chance."""
        return self.centre + self.spread * math.sqrt(2 * math.log(max(compared, 2)))


@dataclass(frozen=True)
class Part:
    """A term of a query: its unit vector (d,), and how much of it there is in the vector
    of the query, which is the sum of these."""

    vector: Vectors
    kind: Kind
    share: float = 1.0


def judge(
    space: EmbeddingSpace, vector: Vectors, kind: Kind, parts: Sequence[Part] = ()
) -> Judgement:
    """What scores of the unit vector (d,) mean in `space`; `parts` are the terms that it is
    the sum of, where it is none alone."""
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
    """(m,) scores that the best of these m texts, unit vectors (m, d), does not reach on a
    picture by chance: each text's centre plus spread * sqrt(2 ln m), as in `Judgement`.
    None where nothing is known of chance (too few pictures)."""
    drawn = sample.sample_of(space)
    if drawn is None:
        return None
    usual = calibration.chance_of(space, "text", drawn)
    chances = [_chance(usual, scores) for scores in (drawn.vectors @ texts.T).T]
    reach = math.sqrt(2 * math.log(max(len(texts), 2)))
    return np.array([chance.centre + reach * chance.spread for chance in chances], dtype="f4")


def of_scores(scores: Vectors, usual: Chance | None, pictures: int) -> Judgement:
    """What the scores of one text or picture mean that has these `scores` (n,) on a sample
    of a library of so many pictures, where such queries have the `usual` chance."""
    return _judged(scores, _chance(usual, scores), pictures)


def of_sum(
    scores: Vectors,
    of_parts: Vectors,
    shares: Vectors,
    usual: Sequence[Chance | None],
    pictures: int,
) -> Judgement:
    """The same of a sum of m terms with these `shares` (m,), of which each alone has the
    scores `of_parts` (n, m) and the `usual` chance."""
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
    """Of a query with these scores on the sample, and this chance."""
    if chance.spread <= 0:  # all pictures are the same to this query
        return Judgement()
    heights = np.sort((scores - chance.centre) / chance.spread)
    above = 1 - np.searchsorted(heights, _HEIGHTS) / len(heights)
    # What lies below the centre is chance, and as much of it lies above.
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
    """The null distribution of a single query with these scores on the sample, in a space
    where such queries have the `usual` one."""
    centre = float(np.median(scores))
    if usual is None:
        return Chance(centre, 0.0, float(np.std(scores)))
    scattered = 2 * usual.scatter
    centre = min(max(centre, usual.centre - scattered), usual.centre + scattered)
    return Chance(centre, 0.0, usual.spread)

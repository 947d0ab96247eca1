"""What the scores of a query mean: does it fit a picture at all?

One judgement answers this for the relevance line, the words and bars of results, the note that
nothing matches, names of regions and albums that fill themselves. It gives the probability that a
picture with a score fits the query:

- of a text by gallery.indexing.text_fit, from what everyday concepts score on the same
  pictures. Until a worker has encoded the concepts, texts are judged like pictures;
- of a picture by chance: how often unrelated pictures score as high
  (gallery.search.relevance.chance);
- of a sum of terms by its terms: a picture fits if it fits all positive terms and no negative one.
  A logistic function of the sum's score comes as near as it can to this product on the sample.

docs/decisions has the figures; `make bench ARGS="relevance --help"` measures them.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Literal
from uuid import UUID
from weakref import WeakKeyDictionary

import numpy as np

from gallery.encoders.base import Vectors
from gallery.indexing import concepts
from gallery.indexing.text_fit import MOST_PICTURES, Reference, TextFit
from gallery.models import EmbeddingSpace
from gallery.search.nearest import sample
from gallery.search.nearest.sample import Sample
from gallery.search.nearest.scans import Kind
from gallery.search.relevance import chance

Fit = Literal["excellent", "good", "fair", "weak"]

# Matches are good and excellent from these probabilities on.
GOOD, EXCELLENT = 0.5, 0.75
# The log-odds per spread of a picture's scores, and at its line.
_PICTURE_SLOPE, _PICTURE_AT_LINE = 4 / 3, -4 / 3

# The most judgements of one sample that a process keeps: 3 kB each.
_KEPT = 512
# The most sure matches that a judgement keeps.
_SURE_AT_MOST = 20
# Log-odds beyond are as good as certain. Those that anything fits if chance gives as good a score.
_CERTAIN, _DOUBT = 30.0, -1.0
# The least log-odds of a match of a sum: a probability of a tenth.
_LEAST_ODDS = -2.2
# Newton steps of the logistic fit, and the weight that keeps it finite.
_STEPS, _RIDGE = 12, 1e-3


@dataclass(frozen=True)
class Judgement:
    """The meaning of one query's scores. `line` is the relevance line, the least score of a match.
    Without a line nothing is known (too few pictures), and `fit` returns None.

    `slope` is the growth of the log-odds per score, `at_line` the log-odds at the line. `presence`
    is the log-odds that anything fits. The best of n scores must reach
    `least` + `spread` * sqrt(2 ln n) for something to fit: the best score grows with their number
    (the universal threshold of D. Donoho and I. Johnstone, "Ideal spatial adaptation by wavelet
    shrinkage", Biometrika 81, 1994). `pictures` is about the number of pictures in the library.
    `sure` are some sampled pictures that match beyond chance. They may belong to anybody, so they
    are never revealed to a searcher who may not see them.
    """

    line: float | None = None
    slope: float = 1.0
    at_line: float = 0.0
    presence: float = 0.0
    least: float = -math.inf
    spread: float = 1.0
    pictures: int = 0
    sure: tuple[UUID, ...] = ()

    def probability(self, score: float) -> float:
        """Return the probability that a picture with this score fits; without a line the score
        itself, within [0, 1]."""
        if self.line is None:
            return min(max(score, 0.0), 1.0)
        fits = _sigmoid(self.slope * (score - self.line) + self.at_line)
        return float(fits * _sigmoid(self.presence))

    def fit(self, score: float) -> Fit | None:
        if self.line is None:
            return None
        if score < self.line:
            return "weak"
        probability = self.probability(score)
        if probability < GOOD:
            return "fair"
        return "good" if probability < EXCELLENT else "excellent"

    def is_match(self, score: float | None, *, by_words: bool = False) -> bool:
        """Whether a picture has the words of the query or is not below the relevance line. Without
        a score or a line nothing is known, and each picture counts as a match."""
        return by_words or self.line is None or score is None or score >= self.line

    def settled(self, best: float, among: int | None = None) -> Judgement:
        """Return the judgement given the best score of `among` compared pictures (by default the
        library). If it is too low, nothing matches well, and the relevance line is raised above
        all scores."""
        least = self._least_best(among or self.pictures)
        if self.line is None or best >= least:
            return self
        if math.isinf(least):  # nothing can be good enough
            least = float(np.nextafter(np.float32(best), np.float32(np.inf)))
        return replace(self, line=max(self.line, least))

    def with_sure(self, scores: Vectors, drawn: Sample) -> Judgement:
        """Return the judgement with the sure matches of the sample, whose scores (n,) are given."""
        if self.line is None:
            return self
        least = max(self.line, self._least_best(self.pictures))
        best = np.flatnonzero(scores >= least)[:_SURE_AT_MOST]
        return replace(self, sure=tuple(drawn.ids[place] for place in best))

    def _least_best(self, compared: int) -> float:
        return self.least + self.spread * _reach(compared)


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
    parts = parts or [Part(vector, kind)]
    reference = _reference(space, drawn)
    kept = _judgements.setdefault(reference or drawn, {})
    key = (vector.tobytes(), *((part.vector.tobytes(), part.kind, part.share) for part in parts))
    found = kept.get(key)
    if found is None:
        found = _judged(vector, parts, drawn, reference)
        if len(kept) >= _KEPT:
            kept.clear()
        kept[key] = found
    return found


def _judged(
    vector: Vectors, parts: Sequence[Part], drawn: Sample, reference: Reference | None
) -> Judgement:
    scores = drawn.vectors @ vector
    judgements = [_of_term(part, drawn, reference) for part in parts]
    if len(parts) == 1 and parts[0].share > 0:
        return judgements[0].with_sure(scores, drawn)
    of_parts = drawn.vectors @ np.stack([part.vector for part in parts]).T
    shares = [part.share for part in parts]
    return of_sum(scores, of_parts, shares, judgements).with_sure(scores, drawn)


def probabilities(space: EmbeddingSpace, texts: Vectors, pictures: Vectors) -> Vectors | None:
    """Return the probabilities (m, n) that m texts, unit vectors (m, d), fit n pictures, unit
    vectors (n, d). None if too little is known."""
    drawn = sample.sample_of(space)
    reference = None if drawn is None else _reference(space, drawn)
    if reference is None:
        return None
    rows = zip(reference.fits(texts), texts @ pictures.T, strict=True)
    return np.stack(
        [
            _sigmoid(fit.slope * (scores - fit.line) + fit.at_line) * _sigmoid(fit.presence)
            for fit, scores in rows
        ]
    )


def lines(space: EmbeddingSpace, texts: Vectors) -> Vectors | None:
    """Return the relevance lines (m,) of m texts, unit vectors (m, d); infinity for a text that
    fits nothing in the library. None if too little is known."""
    drawn = sample.sample_of(space)
    reference = None if drawn is None else _reference(space, drawn)
    if drawn is None or reference is None:
        return None
    fits = reference.fits(texts)
    return np.array([fit.line if fit.presence >= 0 else np.inf for fit in fits], dtype="f4")


def of_text(fit: TextFit, pictures: int) -> Judgement:
    """Return the judgement of a text on a library of `pictures` pictures."""
    certain = math.copysign(math.inf, -fit.presence)
    least = fit.best - fit.presence / fit.presence_slope if fit.presence_slope > 0 else certain
    return Judgement(
        line=fit.line,
        slope=fit.slope,
        at_line=fit.at_line,
        presence=fit.presence,
        least=least - fit.spread * _reach(fit.sampled),
        spread=fit.spread,
        pictures=pictures,
    )


def of_scores(scores: Vectors, usual: chance.Chance | None, pictures: int) -> Judgement:
    """Return the judgement of a picture, or of anything of which only its `scores` (n,) on a sample
    of a library of `pictures` pictures are known. `usual` is the usual chance of such queries."""
    found = chance.of(usual, scores)
    if found.spread <= 0:  # all pictures are the same to this query
        return Judgement()
    line, is_common = chance.line(scores, found)
    least = -math.inf if is_common else found.centre
    best = float(scores.max())
    return Judgement(
        line=line,
        slope=_PICTURE_SLOPE / found.spread,
        at_line=_PICTURE_AT_LINE,
        presence=_CERTAIN if best >= least + found.spread * _reach(pictures) else _DOUBT,
        least=least,
        spread=found.spread,
        pictures=pictures,
    )


def of_sum(
    scores: Vectors, of_parts: Vectors, shares: Sequence[float], judgements: Sequence[Judgement]
) -> Judgement:
    """Return the judgement of a sum of m terms with these `shares`. On a sample, the sum has the
    `scores` (n,), and its terms have the scores `of_parts` (n, m) and the `judgements`."""
    if any(judgement.line is None for judgement in judgements) or scores.std() <= 0:
        return Judgement()
    fits = np.ones(len(scores), dtype=np.float32)
    strongest = max(abs(share) for share in shares)
    for share, judgement, part in zip(shares, judgements, of_parts.T, strict=True):
        of_term = np.array([judgement.probability(float(score)) for score in part])
        fits *= ((of_term if share > 0 else 1 - of_term) ** (abs(share) / strongest)).astype("f4")
    slope, constant = _logistic(scores, fits)
    # What is hardly probable is no match, however much less probable the rest is.
    line = max(_line(scores, fits), (_LEAST_ODDS - constant) / slope)
    wanted = [each for each, share in zip(judgements, shares, strict=True) if share > 0]
    presence = min((each.presence for each in wanted), default=_CERTAIN)
    return Judgement(
        line=line,
        slope=slope,
        at_line=slope * line + constant,
        # The terms' own probabilities contain whether anything fits them.
        presence=_CERTAIN,
        least=-math.inf if presence >= 0 else math.inf,
        pictures=judgements[0].pictures,
    )


# --- Terms ------------------------------------------------------------------------


_references: WeakKeyDictionary[Sample, Reference] = WeakKeyDictionary()
# What was judged by a reference, or by a sample without one. The next pages of a search and popular
# searches ask again.
_judgements: WeakKeyDictionary[Reference | Sample, dict[Hashable, Judgement]] = WeakKeyDictionary()


def _of_term(part: Part, drawn: Sample, reference: Reference | None) -> Judgement:
    if reference is not None and part.kind == "text":
        return of_text(reference.fits(part.vector[np.newaxis])[0], drawn.pictures)
    usual = chance.of_pictures(drawn) if part.kind == "image" else None
    return of_scores(drawn.vectors @ part.vector, usual, drawn.pictures)


def _reference(space: EmbeddingSpace, drawn: Sample) -> Reference | None:
    vectors = concepts.vectors(space)
    if vectors is None:
        return None
    kept = _references.get(drawn)
    if kept is None or kept.concepts is not vectors:
        kept = _references[drawn] = Reference(
            vectors, drawn.vectors[:MOST_PICTURES], concepts.vectors(space, "zh")
        )
    return kept


# --- Sums -------------------------------------------------------------------------


def _line(scores: Vectors, fits: Vectors) -> float:
    """Return the score above which the expected F1 of "fits" is highest."""
    order = np.argsort(-scores)
    hits = np.cumsum(fits[order])
    f1 = 2 * hits / (np.arange(1, len(scores) + 1) + fits.sum())
    return float(scores[order][int(f1.argmax())])


def _logistic(scores: Vectors, fits: Vectors) -> tuple[float, float]:
    """Return slope and constant of the logistic function of scores (n,) that is nearest to the
    probabilities `fits` (n,), by Newton's method."""
    centre, spread = float(scores.mean()), float(scores.std())
    rows = np.column_stack([(scores - centre) / spread, np.ones(len(scores))])
    found = np.array([1.0, 0.0])
    for _ in range(_STEPS):
        now = _sigmoid(rows @ found)
        slope = rows.T @ (fits - now) / len(fits) - _RIDGE * found
        curve = (rows * (now * (1 - now))[:, np.newaxis]).T @ rows / len(fits)
        found = np.clip(
            found + np.linalg.solve(curve + _RIDGE * np.eye(2), slope), -_CERTAIN, _CERTAIN
        )
    steepness = max(float(found[0]), _RIDGE) / spread
    return steepness, float(found[1]) - steepness * centre


def _sigmoid(odds: Vectors | float) -> Vectors:
    return 1 / (1 + np.exp(-np.clip(odds, -_CERTAIN, _CERTAIN)))


def _reach(compared: int) -> float:
    return math.sqrt(2 * math.log(max(compared, 2)))

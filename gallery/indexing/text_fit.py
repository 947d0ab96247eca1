"""Whether a text fits a picture at all: a calibrated probability.

A cosine says which picture fits a text best, but not whether it fits: "people" has low cosines with
all of the many pictures that show people, "a volcano" has higher ones with mountains. So the scores
of a text are compared with those of everyday concepts on the same sample of pictures:

- how high its scores are, and how far its best ones reach, among those of the concepts;
- how near its vector is to the concepts: a general word is near to many;
- the shape of its scores;
- how much its vector looks Chinese rather than English, by the concepts in both languages: models
  know one language worse than another, and its words have noisier scores.

These features have no scale: they hold for any model and any library. Linear functions of them say
where the line between fitting and not fitting lies, and whether anything fits at all. A logistic
function of a score's distance from the line is the probability. It was fitted on photographs with
captions (text_fit.json, made by tools/relevance, which states the figures); a logistic map of
scores to probabilities is due to J. Platt, "Probabilistic outputs for support vector machines",
1999.

The line is where the F1 score of "fits" is highest, which is where the probability is half of that
score (Z. Lipton, C. Elkan, B. Naryanaswamy, "Optimal thresholding of classifiers to maximize F1
measure", ECML 2014).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np

from gallery.encoders.base import Vectors

FILE = Path(__file__).with_name("text_fit.json")
# Enough pictures for the statistics of scores.
MOST_PICTURES = 1000
_QUANTILES = (0.5, 0.75, 0.9, 0.97, 0.99)
# Concepts with a larger cosine to the text are the text itself.
_SAME = 0.995
# A text is common if it fits at least this share of the pictures, and so many. One that is probably
# not there, by its log-odds, has to fit more: what the model cannot read scores alike everywhere.
_COMMON_SHARE, _COMMON_PICTURES = 0.15, 10
_DOUBTED, _DOUBTED_SHARE = -1.0, 0.3
# The least log-odds that something fits a common text.
_COMMON = 3.0
# Features beyond are as good as this far.
_FARTHEST = 20.0
_TINY = 1e-9


@dataclass(frozen=True)
class TextFit:
    """The fit of one text with pictures, as a function of their scores.

    A score of `line` separates what fits. `slope` is the growth of the log-odds per score,
    `at_line` the log-odds at the line. `presence` is the log-odds that any picture fits if `best`
    is the best score; `presence_slope` is its growth per best score. `spread` is the standard
    deviation of the scores on the `sampled` pictures.
    """

    line: float
    slope: float
    at_line: float
    presence: float
    presence_slope: float
    best: float
    spread: float
    sampled: int


@dataclass(frozen=True, eq=False)
class Reference:
    """The scores of concepts, unit vectors (k, d), on sampled pictures, unit vectors (n, d).
    `chinese` (k, d) are the same concepts in Chinese; without them no text looks Chinese."""

    concepts: Vectors
    pictures: Vectors
    chinese: Vectors | None = None
    # Without them, those of the file.
    weights: Weights | None = None

    def fits(self, texts: Vectors) -> list[TextFit]:
        """Return the fit of each of m texts, unit vectors (m, d)."""
        scores = texts @ self.pictures.T
        features = self.features(texts, scores)
        weights = self.weights or kept_weights()
        heights = (scores - self.centre) / self.spread
        tops = heights.max(axis=1)
        lines = weights.line.of(features)
        language = self.language(texts)
        presences = weights.presence.of(presence_features(features, tops, lines, language))
        # What fits many pictures is there, however low the best score.
        above = (heights >= lines[:, np.newaxis]).sum(axis=1)
        shares = np.where(presences < _DOUBTED, _DOUBTED_SHARE, _COMMON_SHARE)
        is_common = above >= np.maximum(shares * len(self.pictures), _COMMON_PICTURES)
        presences = np.where(is_common, np.maximum(presences, _COMMON), presences)
        generality = features[:, 0]
        slopes = weights.slope[0] + weights.slope[1] * generality
        at_lines = weights.at_line[0] + weights.at_line[1] * generality
        presence_slopes = weights.presence_slopes(language)
        return [
            TextFit(
                line=float(self.centre + self.spread * line),
                slope=float(max(slope, weights.least_slope) / self.spread),
                at_line=float(at_line),
                presence=float(presence),
                presence_slope=float(presence_slope / self.spread),
                best=float(self.centre + self.spread * top),
                spread=float(spread),
                sampled=len(self.pictures),
            )
            for line, slope, at_line, presence, presence_slope, top, spread in zip(
                lines,
                slopes,
                at_lines,
                presences,
                presence_slopes,
                tops,
                scores.std(axis=1),
                strict=True,
            )
        ]

    def features(self, texts: Vectors, scores: Vectors) -> Vectors:
        """Return the features (m, f) of m texts with these scores (m, n)."""
        own = _statistics(scores)
        near = _nearness(np.where(texts @ self.concepts.T > _SAME, -1.0, texts @ self.concepts.T))
        deviations = np.maximum(own[:, 1:2], _TINY)
        features = np.column_stack(
            [
                self._among_scores.of(own),
                self._among_words.of(near),
                (own[:, 2:] - own[:, :1]) / deviations,
                np.full(len(texts), np.log10(len(self.pictures))),
            ]
        )
        return np.clip(features, -_FARTHEST, _FARTHEST)

    def language(self, texts: Vectors) -> Vectors:
        """Return how much m texts look Chinese (1) rather than English (-1), (m,). Two normal
        distributions of equal variance, along the line between the means of both languages, tell:
        where a model does not part the languages, all texts have about 0 (R. Fisher, "The use of
        multiple measurements in taxonomic problems", Annals of Eugenics 7, 1936)."""
        if self._languages is None:
            return np.zeros(len(texts), dtype=np.float32)
        middle, direction = self._languages
        looks: Vectors = np.tanh((texts - middle) @ direction / 2)
        return looks

    @cached_property
    def _languages(self) -> tuple[Vectors, Vectors] | None:
        """The middle between both languages, and the direction that gives the log-odds."""
        if self.chinese is None:
            return None
        means = self.concepts.mean(axis=0), self.chinese.mean(axis=0)
        apart = means[1] - means[0]
        own = [
            (vectors - mean) @ apart
            for vectors, mean in zip((self.concepts, self.chinese), means, strict=True)
        ]
        # The variance along the direction; `own` are longer than projections by the length.
        variance = np.mean(np.square(own)) / max(float(apart @ apart), _TINY)
        return (means[0] + means[1]) / 2, apart / max(float(variance), _TINY)

    @cached_property
    def _scores(self) -> Vectors:
        return self.concepts @ self.pictures.T

    @cached_property
    def _among_scores(self) -> _Scale:
        return _Scale.over(_statistics(self._scores))

    @cached_property
    def _among_words(self) -> _Scale:
        cosines = self.concepts @ self.concepts.T
        np.fill_diagonal(cosines, -1.0)
        return _Scale.over(_nearness(cosines))

    @cached_property
    def centre(self) -> float:
        return float(self._scores.mean())

    @cached_property
    def spread(self) -> float:
        return float(max(self._scores.std(axis=1).mean(), _TINY))


@dataclass(frozen=True)
class _Scale:
    """Means and standard deviations (f,) that features are measured by."""

    means: Vectors
    deviations: Vectors

    @classmethod
    def over(cls, rows: Vectors) -> _Scale:
        return cls(rows.mean(axis=0), np.maximum(rows.std(axis=0), _TINY))

    def of(self, rows: Vectors) -> Vectors:
        scaled: Vectors = (rows - self.means) / self.deviations
        return scaled


@dataclass(frozen=True)
class _Linear:
    """A linear function of features (m, f)."""

    scale: _Scale
    factors: Vectors
    constant: float

    @classmethod
    def of_json(cls, plain: dict[str, list[float]]) -> _Linear:
        means, deviations, factors = (
            np.array(plain[name]) for name in ("means", "deviations", "factors")
        )
        return cls(_Scale(means, deviations), factors, plain["constant"][0])

    def of(self, features: Vectors) -> Vectors:
        values: Vectors = self.scale.of(features) @ self.factors + self.constant
        return values


@dataclass(frozen=True)
class Weights:
    line: _Linear
    presence: _Linear
    # Log-odds per spread beyond the line, and at the line: a constant and a factor of the first
    # feature, the height of the text's mean score.
    slope: tuple[float, float]
    least_slope: float
    at_line: tuple[float, float]

    def presence_slopes(self, language: Vectors) -> Vectors:
        """Return the growth of the presence with the best score, in spreads, of texts that look so
        much Chinese (m,)."""
        best, beyond, _language, both = (
            self.presence.factors[-4:] / (self.presence.scale.deviations[-4:])
        )
        return np.maximum(best + beyond + both * language, 0.0)


def presence_features(
    features: Vectors, tops: Vectors, lines: Vectors, language: Vectors
) -> Vectors:
    """Return what tells whether anything fits (m, f + 4): the features of m texts, their best
    scores, how far these are beyond the line, and what that means in the language."""
    beyond = tops - lines
    return np.column_stack([features, tops, beyond, language, language * beyond])


@cache
def kept_weights() -> Weights:
    """Return the weights of the file."""
    return read(json.loads(FILE.read_text(encoding="utf-8")))


def read(plain: dict[str, Any]) -> Weights:
    """Read weights from JSON."""
    return Weights(
        line=_Linear.of_json(plain["line"]),
        presence=_Linear.of_json(plain["presence"]),
        slope=tuple(plain["slope"]),
        least_slope=plain["least_slope"],
        at_line=tuple(plain["at_line"]),
    )


def _statistics(scores: Vectors) -> Vectors:
    """Return mean, standard deviation, quantiles and maximum (m, 8) of scores (m, n)."""
    quantiles = np.quantile(scores, _QUANTILES, axis=1).T
    return np.column_stack([scores.mean(axis=1), scores.std(axis=1), quantiles, scores.max(axis=1)])


def _nearness(cosines: Vectors) -> Vectors:
    """Return mean, standard deviation, maximum and means of the 5 and 20 largest (m, 5) of cosines
    (m, k) with the concepts."""
    sorted_cosines = np.sort(cosines, axis=1)[:, ::-1]
    return np.column_stack(
        [
            cosines.mean(axis=1),
            cosines.std(axis=1),
            sorted_cosines[:, 0],
            sorted_cosines[:, :5].mean(axis=1),
            sorted_cosines[:, :20].mean(axis=1),
        ]
    )

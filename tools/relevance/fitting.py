"""The fit of the weights: lines, presence, and the probability of a score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.preprocessing import StandardScaler

from gallery.indexing import concepts, text_fit
from gallery.indexing.text_fit import Reference
from tools.relevance.material import Material, Words

# Shares of a library that words are told apart by: rare, some, many, most.
SHARES = (0.02, 0.1, 0.3)
SIZES = (1000, 1000, 1000, 400, 150, 50, 15)
# Texts that fewer pictures show have no best line; in a small library a few are enough.
_FEWEST, _FEWEST_OF_FEW, _FEW = 4, 2, 200
# Lines whose F1 is nearly the best count as well: the best one is a matter of chance.
_NEARLY = 0.02
_PAIRS = 60
_REMOVED = 12
_LEAST_SLOPE = 0.3
# How much worse it is to tell of a word that is there that nothing matches than not to tell so of
# one that is not; less in small libraries, where strings without meaning would match.
_PRESENT, _PRESENT_IN_FEW = 2.0, 1.5
# By how much lines may be lower or higher than fitted, in spreads.
_LOWER = np.arange(-0.4, 1.01, 0.05)


@dataclass(frozen=True, eq=False)
class Library:
    """Texts on a made-up library: features (m, f), heights of scores (m, n) in spreads, how much
    they look Chinese (m,), and what the pictures show."""

    features: np.ndarray
    heights: np.ndarray
    language: np.ndarray
    words: Words

    @property
    def fewest(self) -> int:
        """The least number of pictures that a text is told from the rest by."""
        return _FEWEST_OF_FEW if self.heights.shape[1] < _FEW else _FEWEST

    @classmethod
    def of(cls, reference: Reference, words: Words) -> Library:
        scores = words.vectors @ reference.pictures.T
        heights = (scores - reference.centre) / reference.spread
        language = reference.language(words.vectors)
        return cls(reference.features(words.vectors, scores), heights, language, words)


def libraries(
    material: Material, pool: np.ndarray, rows: np.ndarray, count: int, seed: int
) -> list[Library]:
    """Return made-up libraries of the photographs `pool` with the texts `rows`: random ones,
    some of one subject, some without some subjects. Concepts that no caption mentions are added."""
    rng = np.random.default_rng(seed)
    never = absent_concepts(material)
    made = []
    for number in range(count):
        some = rng.choice(rows, min(len(rows), 220), replace=False)
        size = SIZES[number % len(SIZES)]
        chosen = rng.choice(pool, size, replace=False)
        if number % 3 == 1:
            gone = (material.words.mentions[np.ix_(some[:_REMOVED], pool)] > 0).any(axis=0)
            kept = pool[~gone]
            chosen = rng.choice(kept, min(size, len(kept)), replace=False)
        elif number % 3 == 2:
            shares = material.words.shown[:, pool].mean(axis=1)
            subject = rng.choice(np.flatnonzero((shares > 0.02) & (shares < 0.4)))
            own = pool[material.words.shown[subject, pool]]
            chosen = rng.choice(own, min(size, len(own)), replace=False)
        words = material.words.some(some, chosen)
        absent = Words(
            never.texts, never.languages, never.groups, never.vectors,
            np.zeros((len(never.texts), len(chosen)), dtype=int),
        )  # fmt: skip
        reference = material.reference(material.pictures[chosen])
        made.append(Library.of(reference, _joined(words, absent)))
    return made


def absent_concepts(material: Material) -> Words:
    """Return the concepts that no caption mentions."""
    known = concepts.concepts()
    test = {text.split()[-1] for text in material.absent.texts}
    never = material.never_mentioned([each.english for each in known])
    never = [n for n in never if known[n].english.rstrip("s") not in test]
    texts = [f"a {known[n].english.removesuffix('s')}" for n in never]
    texts += [known[n].chinese for n in never]
    return Words(
        texts,
        ["en"] * len(never) + ["zh"] * len(never),
        -1 - np.tile(np.arange(len(never)), 2),
        material.texts(texts),
        np.zeros((len(texts), 0), dtype=int),
    )


def _joined(one: Words, other: Words) -> Words:
    return Words(
        [*one.texts, *other.texts],
        [*one.languages, *other.languages],
        np.concatenate([one.groups, other.groups]),
        np.concatenate([one.vectors, other.vectors]),
        np.concatenate([one.mentions, other.mentions]),
    )


def weights(
    made: list[Library], seed: int = 0, kept: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Fit the weights on these libraries, as JSON. Of those `kept` all but the presence stay."""
    if kept is not None:
        return {**kept, "presence": _presence(made, kept["line"])}
    line = _line(made)
    presence = _presence(made, line)
    return {"line": line, "presence": presence, **_probability(made, line, seed)}


def best_line(heights: np.ndarray, shown: np.ndarray) -> tuple[float, float]:
    """Return the height with the best F1, and that F1."""
    order = np.argsort(-heights)
    hits = np.cumsum(shown[order])
    f1 = 2 * hits / (np.arange(1, len(heights) + 1) + shown.sum())
    shares = np.exp((f1 - f1.max()) / _NEARLY)
    return float((heights[order] * shares).sum() / shares.sum()), float(f1.max())


def _line(made: list[Library]) -> dict[str, list[float]]:
    rows = [
        (library.features[row], library.heights[row], library.words.shown[row])
        for library in made
        for row in np.flatnonzero(library.words.shown.sum(axis=1) >= library.fewest)
    ]
    features = np.stack([features for features, _heights, _shown in rows])
    best = np.array([best_line(heights, shown) for _features, heights, shown in rows])
    scaler = StandardScaler().fit(features)
    # Words of which a line says much count more, and so do frequent ones, which are few.
    buckets = np.digitize([shown.mean() for _features, _heights, shown in rows], SHARES)
    each = 1 / np.sqrt(np.bincount(buckets))[buckets]
    fitted = RidgeCV(np.logspace(0, 4, 9)).fit(
        scaler.transform(features), best[:, 0], sample_weight=best[:, 1] ** 2 * each
    )
    line = _plain(scaler, fitted.coef_, fitted.intercept_)
    # A line that is too high loses more than one that is too low.
    lines = linear(line, features)
    lower = max(_LOWER, key=lambda lower: np.average(_f1(rows, lines - lower), weights=each))
    line["constant"][0] -= lower
    return line


def _f1(rows: list[tuple[np.ndarray, ...]], lines: np.ndarray) -> list[float]:
    found = []
    for (_features, heights, shown), line in zip(rows, lines, strict=True):
        above = heights >= line
        found.append(2 * (above & shown).sum() / (above.sum() + shown.sum()))
    return found


def linear(plain: dict[str, list[float]], features: np.ndarray) -> np.ndarray:
    scaled = (features - plain["means"]) / np.array(plain["deviations"])
    return np.asarray(scaled @ np.array(plain["factors"]) + plain["constant"][0])


def _presence(made: list[Library], line: dict[str, list[float]]) -> dict[str, list[float]]:
    features, present, sizes = [], [], []
    for library in made:
        shown, mentioned = library.words.shown.sum(axis=1), library.words.mentions.max(axis=1) > 0
        is_there = shown >= library.fewest - 1
        sure = np.flatnonzero(is_there | ~mentioned)
        tops = library.heights[sure].max(axis=1)
        own = library.features[sure]
        features.append(
            text_fit.presence_features(own, tops, linear(line, own), library.language[sure])
        )
        present.append(is_there[sure])
        sizes.append(np.full(len(sure), library.heights.shape[1]))
    joined, there = np.concatenate(features), np.concatenate(present)
    scaler = StandardScaler().fit(joined)
    fitted = LogisticRegression(C=0.05, max_iter=1000).fit(
        scaler.transform(joined), there, sample_weight=_balanced(np.concatenate(sizes), there)
    )
    return _plain(scaler, fitted.coef_[0], fitted.intercept_[0])


def _balanced(sizes: np.ndarray, there: np.ndarray) -> np.ndarray:
    """Return weights of texts, by which there are as many absent things in libraries of each size,
    and _PRESENT times as many that are there: small libraries show few of all words, and would
    be told too often that nothing matches."""
    size = np.rint(2 * np.log10(sizes)).astype(int)
    weight = np.ones(len(there))
    for one in np.unique(size):
        those = size == one
        present = _PRESENT_IN_FEW if sizes[those].max() < _FEW else _PRESENT
        for is_there, count in ((True, present), (False, 1.0)):
            some = those & (there == is_there)
            weight[some] = count / max(some.sum(), 1)
    return np.asarray(weight * len(there) / weight.sum())


def _probability(made: list[Library], line: dict[str, list[float]], seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    rows, shown, shares = [], [], []
    for library in made:
        lines = linear(line, library.features)
        for row in np.flatnonzero(library.words.shown.sum(axis=1) >= 1):
            heights = library.heights[row]
            order = np.argsort(-heights)
            top = order[: max(10, len(order) // 20)]
            rest = order[len(top) :]
            some = rng.choice(rest, min(_PAIRS, len(rest)), replace=False)
            for part, share in ((top, 1.0), (some, len(rest) / max(len(some), 1))):
                beyond, general = heights[part] - lines[row], library.features[row, 0]
                rows.append(
                    np.column_stack([beyond, beyond * general, np.full(len(part), general)])
                )
                shown.append(library.words.shown[row, part])
                shares.append(np.full(len(part), share / len(order)))
    fitted = LogisticRegression(C=1.0, max_iter=1000).fit(
        np.concatenate(rows), np.concatenate(shown), sample_weight=np.concatenate(shares) * 1000
    )
    slope, slope_of_general, general = fitted.coef_[0]
    return {
        "slope": [round(float(slope), 5), round(float(slope_of_general), 5)],
        "least_slope": _LEAST_SLOPE,
        "at_line": [round(float(fitted.intercept_[0]), 5), round(float(general), 5)],
    }


def _plain(scaler: StandardScaler, factors: np.ndarray, constant: float) -> dict[str, list[float]]:
    def rounded(numbers: np.ndarray) -> list[float]:
        return [round(float(number), 5) for number in numbers]

    return {
        "means": rounded(scaler.mean_),
        "deviations": rounded(scaler.scale_),
        "factors": rounded(factors),
        "constant": [round(float(constant), 5)],
    }

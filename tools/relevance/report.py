"""Figures of the fit, by the share of the pictures that a text fits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gallery.indexing.text_fit import Weights
from gallery.search.relevance.relevance import of_text
from tools.relevance.fitting import SHARES, best_line
from tools.relevance.material import Material

BUCKETS = ("under 2 %", "2 to 10 %", "10 to 30 %", "over 30 %")
ABSENT = -1
_FEWEST = 3
_BINS = 15
# Pairs that are told to be a fair match, at least.
_PROBABLE = 0.3
_TOLD = (0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True)
class Figures:
    """One row each: (bucket, language, precision, recall, F1, best F1, nothing). `presences` are
    (language, bucket, log-odds that anything fits) of all texts; those of absent things have the
    bucket ABSENT. `pairs` are (probability, shown) of all texts and pictures."""

    rows: list[tuple[int, str, float, float, float, float, bool]]
    presences: list[tuple[str, int, float]]
    pairs: list[np.ndarray]


def measured(
    material: Material, pictures: np.ndarray, rows: np.ndarray, weights: Weights | None = None
) -> Figures:
    """Judge the texts `rows` and the absent things on a library of these photographs, of which
    there are no more than a worker samples."""
    vectors = material.pictures[pictures]
    reference = material.reference(vectors, weights)
    words, absent = material.words.some(rows, pictures), material.absent
    found, presences, pairs = [], [], []
    for row, fit in enumerate(reference.fits(words.vectors)):
        shown = words.shown[row]
        scores = (vectors @ words.vectors[row]).astype(float)
        judgement = of_text(fit, len(vectors)).settled(float(scores.max()))
        # A word of which we know beforehand that it fits some pictures has higher probabilities
        # than one that somebody types, so all words count here.
        pairs.append(
            np.column_stack([[judgement.probability(float(score)) for score in scores], shown])
        )
        if shown.sum() < _FEWEST:
            continue
        above = scores >= judgement.line
        hits = float((above & shown).sum())
        bucket = int(np.digitize(shown.mean(), SHARES))
        presences.append((words.languages[row], bucket, fit.presence))
        found.append(
            (
                bucket,
                words.languages[row],
                hits / above.sum() if above.any() else 0.0,
                hits / shown.sum(),
                2 * hits / (above.sum() + shown.sum()),
                best_line(scores, shown)[1],
                not above.any(),
            )
        )
    fits = zip(absent.languages, reference.fits(absent.vectors), strict=True)
    presences += [(language, ABSENT, fit.presence) for language, fit in fits]
    return Figures(found, presences, pairs)


def joined(parts: list[Figures]) -> Figures:
    return Figures(
        [row for part in parts for row in part.rows],
        [each for part in parts for each in part.presences],
        [each for part in parts for each in part.pairs],
    )


def show(figures: Figures) -> None:
    for language in ("en", "zh"):
        for bucket, name in enumerate(BUCKETS):
            rows = [row[2:] for row in figures.rows if row[:2] == (bucket, language)]
            if rows:
                precision, recall, f1, best, nothing = np.mean(np.array(rows, dtype=float), axis=0)
                print(
                    f"{language} {name:<11} {len(rows):3d} texts: precision {precision:.2f}, "
                    f"recall {recall:.2f}, F1 {f1:.3f} (best line {best:.3f}), "
                    f"“nothing” {nothing:.1%}"
                )
        _show_presences(figures, language)
    pairs = np.concatenate(figures.pairs)
    probable = pairs[pairs[:, 0] >= _PROBABLE]
    print(f"expected calibration error {calibration_error(pairs):.3f}")
    if len(probable):
        told, right = probable.mean(axis=0)
        print(f"of what fits by {_PROBABLE} or more, {told:.2f} on average, {right:.2f} do")


def _show_presences(figures: Figures, language: str) -> None:
    """Print how many absent things are told so, and which words would be told that nothing matches
    if it were some other share: the curve that the ranking allows."""
    absent, rare, other = (
        np.array([odds for spoken, bucket, odds in figures.presences
                  if spoken == language and bucket in buckets])
        for buckets in ([ABSENT], [0], range(1, len(BUCKETS)))
    )  # fmt: skip
    print(f"{language} absent      {len(absent):3d} texts: told so {np.mean(absent < 0):.0%}")
    for share in _TOLD:
        least = np.quantile(absent, share)
        wrong = [
            f"{np.mean(odds < least):.0%} of those {name}"
            for name, odds in (("under 2 %", rare), ("over it", other))
            if len(odds)
        ]
        print(f"{language}   if {share:.0%} were told so: “nothing” for {', '.join(wrong)}")


def calibration_error(pairs: np.ndarray) -> float:
    """Return the expected calibration error of rows (probability, shown), in bins of equal count
    (M. Naeini, G. Cooper, M. Hauskrecht, AAAI 2015)."""
    bins = np.array_split(pairs[np.argsort(pairs[:, 0])], _BINS)
    errors = [abs(part[:, 0].mean() - part[:, 1].mean()) * len(part) for part in bins]
    return float(sum(errors) / len(pairs))

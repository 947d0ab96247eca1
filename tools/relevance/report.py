"""Figures of the fit, by the share of the pictures that a text fits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gallery.indexing import concepts
from gallery.indexing.text_fit import MOST_PICTURES, Reference, Weights
from gallery.search.relevance.relevance import of_text
from tools.relevance.fitting import SHARES, best_line
from tools.relevance.material import Material

BUCKETS = ("under 2 %", "2 to 10 %", "10 to 30 %", "over 30 %")
_FEWEST = 3
_BINS = 15


@dataclass(frozen=True)
class Figures:
    """One row each: (bucket, language, precision, recall, F1, best F1, nothing). `absent` tells of
    each absent thing whether it is told so. `pairs` are (probability, shown)."""

    rows: list[tuple[int, str, float, float, float, float, bool]]
    absent: list[tuple[str, bool]]
    pairs: list[np.ndarray]


def measured(
    material: Material, pictures: np.ndarray, rows: np.ndarray, weights: Weights | None = None
) -> Figures:
    """Judge the texts `rows` and the absent things on a library of these photographs."""
    vectors = material.pictures[pictures]
    known = concepts.encoded(material.encoder)
    reference = Reference(known, vectors[:MOST_PICTURES], weights)
    words, absent = material.words.some(rows, pictures), material.absent
    found, pairs = [], []
    fits = reference.fits(words.vectors)
    for row, fit in enumerate(fits):
        shown = words.shown[row]
        if shown.sum() < _FEWEST:
            continue
        scores = (vectors @ words.vectors[row]).astype(float)
        judgement = of_text(fit, len(vectors)).settled(float(scores.max()))
        above = scores >= judgement.line
        hits = float((above & shown).sum())
        bucket = int(np.digitize(shown.mean(), SHARES))
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
        pairs.append(
            np.column_stack([[judgement.probability(float(score)) for score in scores], shown])
        )
    told = []
    for language, vector, fit in zip(
        absent.languages, absent.vectors, reference.fits(absent.vectors), strict=True
    ):
        best = float((vectors @ vector).astype(float).max())
        told.append((language, best < of_text(fit, len(vectors)).settled(best).line))
    return Figures(found, told, pairs)


def joined(parts: list[Figures]) -> Figures:
    return Figures(
        [row for part in parts for row in part.rows],
        [each for part in parts for each in part.absent],
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
        told = [is_told for spoken, is_told in figures.absent if spoken == language]
        print(f"{language} absent      {len(told):3d} texts: told so {np.mean(told):.0%}")
    print(f"expected calibration error {calibration_error(np.concatenate(figures.pairs)):.3f}")


def calibration_error(pairs: np.ndarray) -> float:
    """Return the expected calibration error of rows (probability, shown), in bins of equal count
    (M. Naeini, G. Cooper, M. Hauskrecht, AAAI 2015)."""
    bins = np.array_split(pairs[np.argsort(pairs[:, 0])], _BINS)
    errors = [abs(part[:, 0].mean() - part[:, 1].mean()) * len(part) for part in bins]
    return float(sum(errors) / len(pairs))

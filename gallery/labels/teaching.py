"""Learns from answers: each category's vector moves, and probabilities are calibrated. Workers do
so, in each space anew from the same answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt

from gallery.encoders.base import Vectors
from gallery.labels import defaults, fitting
from gallery.labels.definition import Mode
from gallery.labels.fitting import Weights
from gallery.labels.learning import quality
from gallery.labels.learning.logistic import sigmoid
from gallery.labels.learning.probe import Probe, fit_odds, fit_probe
from gallery.labels.learning.temperature import (
    fit_intercepts,
    fit_one,
    softmax,
)
from gallery.models import Answer, Embedding, EmbeddingSpace, LabelFit

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Answers:
    """The answers to the categories (k) of a fit, for the pictures (n) that have a vector in its
    space: `vectors` (n, d), and `verdicts` (n, k), 1 for yes, 0 for no, NaN for none. `until` is
    the time of the latest one."""

    images: list[UUID]
    vectors: Vectors
    verdicts: Floats
    until: datetime | None

    @property
    def count(self) -> int:
        return int((~np.isnan(self.verdicts)).sum())


def answers_to(categories: list[UUID], space: EmbeddingSpace) -> Answers:
    """Read the answers. In the order of the pictures' ids, so that the same answers give the same
    fit."""
    rows = list(
        Answer.objects.filter(category__in=categories)
        .order_by("image_id")
        .values_list("image_id", "category_id", "verdict", "at")
    )
    ids = {image for image, *_rest in rows}
    entries = Embedding.objects.filter(space=space, part=0, image__in=ids)
    known = dict(entries.values_list("image_id", "vector"))
    images = [image for image in dict.fromkeys(row[0] for row in rows) if image in known]
    place = {image: number for number, image in enumerate(images)}
    column = {category: number for number, category in enumerate(categories)}
    verdicts = np.full((len(images), len(categories)), np.nan)
    for image, category, verdict, _at in rows:
        if image in place:
            verdicts[place[image], column[category]] = float(verdict)
    vectors = np.array([np.asarray(known[image]) for image in images], dtype=np.float32)
    vectors = vectors.reshape(len(images), space.dimensions or 1)
    times = [at for image, _category, _verdict, at in rows if image in place]
    return Answers(images, vectors, verdicts, max(times, default=None))


@dataclass(frozen=True)
class _Learned:
    """Vectors (n, d) and biases (n,) of all rows of a fit, and the probabilities of the answered
    pictures (m, n), without what was learned and with it; the latter held out."""

    vectors: Floats
    biases: Floats
    temperature: float
    before: Floats
    after: Floats


def learn(fit: LabelFit, space: EmbeddingSpace) -> LabelFit:
    """Write the fit that follows from `fit`, the current one, by all answers so far."""
    former, texts = fitting.weights_of(fit), fitting.texts_of(fit)
    answers = answers_to(former.categories, space)
    learned = (_one if former.mode == Mode.ONE else _any)(answers, texts, space)
    weights = Weights(
        mode=former.mode,
        categories=former.categories,
        vectors=np.asarray(learned.vectors, dtype=np.float32),
        biases=learned.biases.tolist(),
        thresholds=former.thresholds,
    )
    return fitting.store(
        fit.version,
        space,
        fitting.with_thresholds(weights),
        texts,
        temperature=learned.temperature,
        answers=answers.count,
        answers_until=answers.until,
        quality=_quality(answers, former.categories, learned.before, learned.after),
    )


def _one(answers: Answers, texts: Vectors, space: EmbeddingSpace) -> _Learned:
    """Learn a set of categories that exclude each other. `texts` (n, d) end with the background."""
    usual, scale = defaults.of(space, judged=False), float(space.logit_scale or 1.0)
    verdicts = _implied(answers.verdicts)
    probes = [
        fit_probe(text, *_by_verdict(answers.vectors, verdict), scale=scale)
        for text, verdict in zip(texts, verdicts.T, strict=False)
    ]
    zero_shot = np.asarray(scale * (answers.vectors @ texts.T), dtype=np.float64)
    held_out = _held_out(probes, answers.vectors, verdicts, zero_shot, scale)
    said = _padded(answers.verdicts, len(texts))
    found = fit_one(held_out, said, default=usual.one, categories=len(probes))
    return _Learned(
        vectors=_moved(probes, texts) * (scale / found.temperature),
        biases=_biases(probes, len(texts)) / found.temperature + found.intercepts,
        temperature=found.temperature,
        before=softmax(zero_shot, usual.one),
        after=softmax(found.logits(held_out)),
    )


def _any(answers: Answers, texts: Vectors, space: EmbeddingSpace) -> _Learned:
    """Learn a set of categories (n) each of which may be there beside others."""
    odds = defaults.odds(defaults.of(space), space, texts)
    probes = [
        fit_odds(text, *_by_verdict(answers.vectors, verdict), slope=slope, constant=constant)
        for text, verdict, slope, constant in zip(
            texts, answers.verdicts.T, odds.slopes, odds.constants, strict=True
        )
    ]
    zero_shot = odds.of(np.asarray(answers.vectors @ texts.T, dtype=np.float64))
    held_out = _held_out(probes, answers.vectors, answers.verdicts, zero_shot)
    found = fit_intercepts(held_out, answers.verdicts)
    return _Learned(
        vectors=_moved(probes, texts) / found.temperature,
        biases=_biases(probes, len(texts)) / found.temperature + found.intercepts,
        temperature=found.temperature,
        before=sigmoid(zero_shot),
        after=found.probabilities(held_out),
    )


def _implied(verdicts: Floats) -> Floats:
    """Return the verdicts (n, k) of categories that exclude each other: a yes to one is a no to
    the others."""
    yes = (verdicts == 1).any(axis=1, keepdims=True)
    return np.where(yes & np.isnan(verdicts), 0.0, verdicts)


def _by_verdict(vectors: Vectors, verdicts: Floats) -> tuple[Vectors, Vectors]:
    """Return the pictures with yes and those with no."""
    return vectors[verdicts == 1], vectors[verdicts == 0]


def _held_out(
    probes: list[Probe],
    vectors: Vectors,
    verdicts: Floats,
    zero_shot: Floats,
    scale: float = 1.0,
) -> Floats:
    """Return the logits (n, all) of the answered pictures: for each answer those of a probe that
    has not seen it, and the background's as they are."""
    logits = zero_shot.copy()
    for number, probe in enumerate(probes):
        said = verdicts[:, number]
        logits[:, number] = scale * (vectors @ probe.vector) + probe.bias
        logits[said == 1, number] = probe.held_out[: int((said == 1).sum())]
        logits[said == 0, number] = probe.held_out[int((said == 1).sum()) :]
    return logits


def _padded(verdicts: Floats, columns: int) -> Floats:
    """Return verdicts (n, k) with columns for the background, of which nobody says anything."""
    padded = np.full((len(verdicts), columns), np.nan)
    padded[:, : verdicts.shape[1]] = verdicts
    return padded


def _moved(probes: list[Probe], texts: Vectors) -> Floats:
    """Return the vectors (n, d) of the probes and, behind them, of the background."""
    moved = texts.astype(np.float64)
    for number, probe in enumerate(probes):
        moved[number] = probe.vector
    return moved


def _biases(probes: list[Probe], count: int) -> Floats:
    return np.array([*(probe.bias for probe in probes), *[0.0] * (count - len(probes))])


def _quality(
    answers: Answers, categories: list[UUID], before: Floats, after: Floats
) -> dict[str, Any]:
    """Return what the answers say of the probabilities (n, all) without and with learning. The
    latter are held out, and kept by category and picture: precision is estimated by them.
    `learned` counts the answers of each category, and those that the set would have guessed
    before and after."""
    rows, columns = np.nonzero(~np.isnan(answers.verdicts))
    if not len(rows):
        return {}
    truths = answers.verdicts[rows, columns]
    right = [(shares[rows, columns] >= 0.5) == (truths == 1) for shares in (before, after)]
    held_out: dict[str, dict[str, float]] = {}
    for row, column in zip(rows, columns, strict=True):
        of_category = held_out.setdefault(str(categories[column]), {})
        of_category[str(answers.images[row])] = round(float(after[row, column]), 4)
    return {
        "before": _measures(before[rows, columns], truths),
        "after": _measures(after[rows, columns], truths),
        "held_out": held_out,
        "learned": {
            str(categories[column]): [
                int((columns == column).sum()),
                *(int(each[columns == column].sum()) for each in right),
            ]
            for column in np.unique(columns)
        },
    }


def _measures(shares: Floats, truths: Floats) -> dict[str, float]:
    return {
        "calibration_error": quality.calibration_error(shares, truths),
        "brier": quality.brier_score(shares, truths),
    }

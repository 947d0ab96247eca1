"""A category that learns: a linear probe that begins at the text's vector.

Each yes and no moves the vector of a category a little. There is nothing to tune and no validation
set. How far the text is to be believed, the answers tell themselves: probes that believe it more
and less are weighed by how well each predicts every answer from the others. So a text that says
what is meant is kept, and one that the model does not know, a person's own name for a thing, is
soon left.

Sources: J. Silva-Rodríguez, S. Hajimiri, I. Ben Ayed and J. Dolz, "A closer look at the few-shot
adaptation of large vision-language models", CVPR 2024 (ZS-LP, CLAP: a probe that begins at the
text's vector and is held near it); Y. Huang, F. Shakeri, J. Dolz, M. Boudiaf, H. Bahig and
I. Ben Ayed, "LP++: a surprisingly strong linear probe for few-shot CLIP", CVPR 2024 (text and
pictures in one probe); B. Murugesan, J. Silva-Rodríguez, I. Ben Ayed and J. Dolz, "Robust
calibration of large vision-language adapters", ECCV 2024 (logits kept in the zero-shot range).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gallery.labels.learning import logistic
from gallery.labels.learning.logistic import Floats


class _Belief(NamedTuple):
    """How much of the zero-shot logit a probe believes, with which standard deviation; that of its
    bias; the logarithm of its weight before answers."""

    text: float
    spread: float
    bias: float
    weight: float


@dataclass(frozen=True)
class _Prior:
    """The probes that are weighed, and how far answers move the logit of a picture of usual
    length."""

    beliefs: tuple[_Belief, ...]
    move: float


# The numbers are chosen by figures (docs/decisions/0038-learning-from-answers.md).
# Of logits that a softmax compares:
_COMPARED = _Prior(
    (
        _Belief(0.35, 0.08, bias=3.0, weight=0.0),
        _Belief(0.1, 0.05, bias=3.0, weight=0.0),
        _Belief(0.0, 0.02, bias=3.0, weight=0.0),
    ),
    move=1.5,
)
# Of log-odds, which are about right from the start, so that only strong evidence leaves them:
_ODDS = _Prior(
    (
        _Belief(1.0, 0.3, bias=0.8, weight=0.0),
        _Belief(1.0, 0.3, bias=3.0, weight=-3.0),
        _Belief(0.3, 0.15, bias=0.8, weight=-3.0),
        _Belief(0.0, 0.02, bias=1.5, weight=-4.0),
    ),
    move=2.0,
)
# Logits with less than this part of the zero-shot spread are not stretched to it.
_LEAST_SPREAD = 0.1


@dataclass(frozen=True)
class Probe:
    """A category after answers. The logit of a picture with the unit vector x is
    scale * (`vector` @ x) + `bias`, an inner product: `vector` (d,) is no unit vector.

    `held_out` (p + n,) are the logits that the answered pictures have for a probe without their own
    answer, the positives first. Calibrate and doubt with these: the probe's own logits of pictures
    that it learned from are too sure.
    """

    vector: Floats
    bias: float
    held_out: Floats


def fit_probe(
    text_vector: npt.ArrayLike,
    positives: npt.ArrayLike,
    negatives: npt.ArrayLike,
    *,
    scale: float,
) -> Probe:
    """Return the probe of a category that excludes others.

    `text_vector` (d,), the answers yes `positives` (p, d) and no `negatives` (n, d) are unit
    vectors, p and n may be 0; `scale` is the model's logit scale. Pictures with both answers say
    nothing. The logits of the others keep the mean and the spread of their zero-shot logits,
    scale * cosine, so that categories with and without answers can be compared. The result does not
    depend on the order of the answers but for rounding. Raises ValueError for values that are not
    finite.
    """
    text = np.asarray(text_vector, dtype=float)
    pictures, truths, telling = _answers(text, positives, negatives)
    vector, bias, held_out = _fit_logits(text, pictures[telling], truths[telling], scale)
    logits = scale * (pictures @ vector) + bias
    logits[telling] = held_out
    return Probe(vector, bias, logits)


def fit_odds(
    text_vector: npt.ArrayLike,
    positives: npt.ArrayLike,
    negatives: npt.ArrayLike,
    *,
    slope: float,
    constant: float,
) -> Probe:
    """Return the probe of a category that may be there beside others: its logits are log-odds, and
    the scale is 1.

    Without answers they are `slope` * cosine + `constant`. Few answers move them a little: what is
    asked near the line says little of the rest of a library. All else as in `fit_probe`.
    """
    text = np.asarray(text_vector, dtype=float)
    pictures, truths, telling = _answers(text, positives, negatives)
    vector, bias, held_out = _fit_odds(text, pictures[telling], truths[telling], slope, constant)
    logits = pictures @ vector + bias
    logits[telling] = held_out
    return Probe(vector, bias, logits)


def _answers(
    text: Floats, positives: npt.ArrayLike, negatives: npt.ArrayLike
) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
    """Return pictures (n, d), truths (n,), and which of them have only one answer (n,)."""
    yes, no = (
        np.asarray(part, dtype=float).reshape(-1, len(text)) for part in (positives, negatives)
    )
    disputed = {row.tobytes() for row in yes} & {row.tobytes() for row in no}
    pictures = np.concatenate([yes, no])
    telling = np.array([row.tobytes() not in disputed for row in pictures], dtype=bool)
    return pictures, np.r_[np.ones(len(yes)), np.zeros(len(no))], telling


def _fit_logits(
    text: Floats, pictures: Floats, truths: Floats, scale: float
) -> tuple[Floats, float, Floats]:
    """Return vector, bias and held-out logits (n,) for pictures (n, d) and truths (n,)."""
    zero_shot = scale * (pictures @ text)
    if not len(pictures) or np.ptp(zero_shot) == 0:
        return text, 0.0, zero_shot
    moves, directions = _moves(text, pictures, _COMPARED)
    features = np.column_stack([zero_shot - zero_shot.mean(), np.ones(len(pictures)), moves])
    coefficients, unseen = _weighed(features, truths, _COMPARED)

    moved = directions @ coefficients[2:]
    logits = features @ coefficients
    stretch = zero_shot.std() / max(logits.std(), _LEAST_SPREAD * zero_shot.std())
    vector = stretch * (coefficients[0] * text + moved / scale)
    bias = zero_shot.mean() - scale * float((pictures @ vector).mean())
    return vector, float(bias), zero_shot.mean() + stretch * (unseen - logits.mean())


def _fit_odds(
    text: Floats, pictures: Floats, truths: Floats, slope: float, constant: float
) -> tuple[Floats, float, Floats]:
    """Return vector, bias and held-out log-odds (n,) for pictures (n, d) and truths (n,)."""
    if not len(pictures):
        return slope * text, constant, np.empty(0)
    zero_shot = slope * (pictures @ text) + constant
    moves, directions = _moves(text, pictures, _ODDS)
    features = np.column_stack([zero_shot, np.ones(len(pictures)), moves])
    coefficients, unseen = _weighed(features, truths, _ODDS)

    belief, bias = coefficients[:2]
    moved = directions @ coefficients[2:]
    shift = float(belief * constant + bias - pictures.mean(axis=0) @ moved)
    return belief * slope * text + moved, shift, unseen


def _moves(text: Floats, pictures: Floats, prior: _Prior) -> tuple[Floats, Floats]:
    """Return the directions (d, m) in which the vector may move, those in which the answered
    pictures (n, d) differ beside the text, and how far each picture lies in them (n, m)."""
    centred = pictures - pictures.mean(axis=0)
    usual = np.sqrt((centred**2).sum(axis=1).mean())
    beside = centred - np.outer(centred @ text, text)
    directions = np.linalg.qr(beside.T)[0] * (prior.move / usual if usual else 0.0)
    return beside @ directions, directions


def _weighed(features: Floats, truths: Floats, prior: _Prior) -> tuple[Floats, Floats]:
    """Return the mean coefficients (p,) and held-out logits (n,) of one fit for each belief,
    weighed by the likelihood of the answers (n,) as each holds them out. Features (n, p): the
    zero-shot logit, a constant, moves."""
    moves = features.shape[1] - 2
    fits = [
        logistic.fit(
            features,
            truths,
            centre=np.r_[belief.text, np.zeros(1 + moves)],
            precision=np.r_[belief.spread**-2, belief.bias**-2, np.ones(moves)],
        )
        for belief in prior.beliefs
    ]
    losses = np.array(
        [np.sum(np.logaddexp(0, fit.held_out) - truths * fit.held_out) for fit in fits]
    )
    evidence = np.array([belief.weight for belief in prior.beliefs]) - losses
    weights = np.exp(evidence - evidence.max())
    weights /= weights.sum()
    return (
        weights @ np.stack([fit.coefficients for fit in fits]),
        weights @ np.stack([fit.held_out for fit in fits]),
    )

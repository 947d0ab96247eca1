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

import numpy as np
import numpy.typing as npt

from gallery.labels.learning import logistic
from gallery.labels.learning.logistic import Floats

# How much of the zero-shot logit is believed, with which standard deviation: by the three probes.
_BELIEFS = ((0.35, 0.08), (0.1, 0.05), (0.0, 0.02))
# How far the bias, and the answers, move the logit of a picture of usual length.
_BIAS, _MOVE = 3.0, 1.5
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
    """Return the probe of a category.

    `text_vector` (d,), the answers yes `positives` (p, d) and no `negatives` (n, d) are unit
    vectors, p and n may be 0; `scale` is the model's logit scale. Pictures with both answers say
    nothing. The logits of the others keep the mean and the spread of their zero-shot logits,
    scale * cosine, so that categories with and without answers can be compared. The result does not
    depend on the order of the answers but for rounding. Raises ValueError for values that are not
    finite.
    """
    text = np.asarray(text_vector, dtype=float)
    yes, no = (
        np.asarray(part, dtype=float).reshape(-1, len(text)) for part in (positives, negatives)
    )
    pictures, truths = np.concatenate([yes, no]), np.r_[np.ones(len(yes)), np.zeros(len(no))]
    disputed = {row.tobytes() for row in yes} & {row.tobytes() for row in no}
    telling = np.array([row.tobytes() not in disputed for row in pictures], dtype=bool)

    vector, bias, held_out = _fitted(text, pictures[telling], truths[telling], scale)
    logits = scale * (pictures @ vector) + bias
    logits[telling] = held_out
    return Probe(vector, bias, logits)


def _fitted(
    text: Floats, pictures: Floats, truths: Floats, scale: float
) -> tuple[Floats, float, Floats]:
    """Return vector, bias and held-out logits (n,) for pictures (n, d) and truths (n,)."""
    zero_shot = scale * (pictures @ text)
    if not len(pictures) or np.ptp(zero_shot) == 0:
        return text, 0.0, zero_shot
    centred = pictures - pictures.mean(axis=0)
    unit = _MOVE / np.sqrt((centred**2).sum(axis=1).mean())
    # The vector moves in the directions in which answers differ, but not along the text.
    beside = centred - np.outer(centred @ text, text)
    directions = np.linalg.qr(beside.T)[0]
    features = np.column_stack(
        [zero_shot - zero_shot.mean(), np.ones(len(pictures)), unit * (beside @ directions)]
    )
    coefficients, unseen = _weighed(features, truths)

    belief, moved = coefficients[0], unit * (directions @ coefficients[2:])
    logits = features @ coefficients
    stretch = zero_shot.std() / max(logits.std(), _LEAST_SPREAD * zero_shot.std())
    vector = stretch * (belief * text + moved / scale)
    bias = zero_shot.mean() - scale * float((pictures @ vector).mean())
    return vector, float(bias), zero_shot.mean() + stretch * (unseen - logits.mean())


def _weighed(features: Floats, truths: Floats) -> tuple[Floats, Floats]:
    """Return the mean coefficients (p,) and held-out logits (n,) of one fit for each belief,
    weighed by the likelihood of the answers (n,) as each holds them out. Features (n, p): the
    zero-shot logit, a constant, directions."""
    moves = features.shape[1] - 2
    fits = [
        logistic.fit(
            features,
            truths,
            centre=np.r_[belief, np.zeros(1 + moves)],
            precision=np.r_[spread**-2, _BIAS**-2, np.ones(moves)],
        )
        for belief, spread in _BELIEFS
    ]
    losses = np.array(
        [np.sum(np.logaddexp(0, fit.held_out) - truths * fit.held_out) for fit in fits]
    )
    weights = np.exp(losses.min() - losses)
    weights /= weights.sum()
    return (
        weights @ np.stack([fit.coefficients for fit in fits]),
        weights @ np.stack([fit.held_out for fit in fits]),
    )

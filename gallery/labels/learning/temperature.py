"""Calibration: from the model's logits to probabilities that hold, by people's answers.

- *One of these*: the softmax of the logits divided by one temperature, for the whole set, plus an
  intercept for each category. Without it, one whose cosines are high with everything would keep
  what belongs to others, whatever people say.
- *Any of these*: for each category the sigmoid of its logit divided by a temperature that all
  share, plus an intercept of its own.

Before there are answers, a default serves; few answers move away from it a little.

Sources: C. Guo, G. Pleiss, Y. Sun and K. Weinberger, "On calibration of modern neural networks",
ICML 2017 (temperature); W. Tu, W. Deng, D. Campbell, S. Gould and T. Gedeon, "An empirical study
into what matters for calibrating vision-language models", ICML 2024 (one temperature, from few
answers); A. Alexandari, A. Kundaje and A. Shrikumar, "Maximum likelihood with bias-corrected
calibration is hard-to-beat at label shift adaptation", ICML 2020 (temperature and intercepts).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gallery.labels.learning import logistic
from gallery.labels.learning.logistic import Floats, sigmoid

# The prior, as standard deviations from the default: of the logarithm of the temperature in *one of
# these*, and of the intercepts there; of the slope in *any of these*, as a multiple of the default
# one; of the intercepts of a set, and of a category from them. Log-odds are about right before:
# whoever is asked near the line alone must not flatten them for the whole library.
_TEMPERATURE, _SHARE = 0.35, 1.0
_SLOPE = 0.4
_INTERCEPT, _CATEGORY = 0.5, 0.5
# Temperatures that are tried, as multiples of the default.
_MULTIPLES = np.geomspace(1 / 8, 8, 417)
# How often temperature and intercepts are fitted in turn, and the steps of the latter.
_TURNS, _STEPS = 4, 30


@dataclass(frozen=True)
class Default:
    """What serves before answers: the temperature of *one of these*, and the temperature and the
    intercept of *any of these*."""

    one: float = 1.0
    any: float = 1.0
    intercept: float = 0.0


# Measured on unseen photographs (docs/decisions).
STARTER = Default(one=1.0, any=1.75, intercept=-2.95)
# For all other models: how steep the sigmoid is, and where it is 1/2, in spreads of chance.
_STEEPNESS, _EVEN = 1.5, 2.0


def default_of(
    architecture: str, *, centre: float, spread: float, logit_bias: float | None = None
) -> Default:
    """Return the default of a space by its `architecture`.

    `centre` and `spread` are the mean and the standard deviation of the logits of unrelated texts
    and pictures (the space's calibration times its logit scale); a model with a `logit_bias` was
    trained for *any of these* and needs none. Raises ValueError if the spread is not positive.
    """
    if architecture == "starter":
        return STARTER
    if logit_bias is not None:
        return Default()
    if not spread > 0:
        raise ValueError("The logits of unrelated texts have a spread.")
    return Default(any=spread / _STEEPNESS, intercept=-_STEEPNESS * (centre / spread + _EVEN))


@dataclass(frozen=True)
class Calibration:
    """The `temperature` and the `intercepts` (k,) of the categories in *any of these*."""

    temperature: float
    intercepts: Floats

    def logits(self, logits: npt.ArrayLike) -> Floats:
        """Return the calibrated logits of the model's `logits` (n, k)."""
        return np.asarray(logits, dtype=float) / self.temperature + self.intercepts

    def probabilities(self, logits: npt.ArrayLike) -> Floats:
        """Return the probabilities (n, k) of the model's `logits` (n, k)."""
        return sigmoid(self.logits(logits))


def softmax(logits: npt.ArrayLike, temperature: float = 1.0) -> Floats:
    """Return the probabilities (n, k) of *one of these* from the model's `logits` (n, k)."""
    scaled = np.asarray(logits, dtype=float) / temperature
    exponentials = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def fit_one(
    logits: npt.ArrayLike, verdicts: npt.ArrayLike, *, default: float = 1.0, categories: int
) -> Calibration:
    """Return the calibration of a set of the mode *one of these*.

    Logits and verdicts as in `fit_temperature`; the first `categories` of the columns get
    intercepts, words of “none of these” none. Without answers the intercepts are 0.
    """
    matrix, possible = _telling(logits, verdicts)
    intercepts = np.zeros(np.shape(logits)[1])
    for _ in range(_TURNS):
        temperature = _temperature(matrix, possible, intercepts, default)
        scaled = matrix / temperature
        intercepts[:categories] = _intercepts(scaled, possible, intercepts, categories)
    temperature = _temperature(matrix, possible, intercepts, default)
    return Calibration(temperature, intercepts)


def fit_temperature(
    logits: npt.ArrayLike, verdicts: npt.ArrayLike, *, default: float = 1.0
) -> float:
    """Return the temperature of a set of the mode *one of these*, without intercepts.

    `logits` (n, k) are those of n pictures with answers, `verdicts` (n, k) the answers: 1 for yes,
    0 for no, NaN for none. A yes leaves its category alone, a no all others; a picture whose
    answers leave nothing, or everything, says nothing. Raises ValueError for other shapes.
    """
    matrix, possible = _telling(logits, verdicts)
    return _temperature(matrix, possible, np.zeros(matrix.shape[1]), default)


def _telling(
    logits: npt.ArrayLike, verdicts: npt.ArrayLike
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Return the logits, and what the answers leave possible, of the pictures that say
    something."""
    matrix, possible = np.asarray(logits, dtype=float), _possible(verdicts)
    if matrix.shape != possible.shape:
        raise ValueError("Each logit has a verdict.")
    telling = possible.any(axis=1) & ~possible.all(axis=1)
    return matrix[telling], possible[telling]


def _temperature(
    matrix: Floats, possible: npt.NDArray[np.bool_], intercepts: Floats, default: float
) -> float:
    def loss(temperature: float) -> float:
        scaled = matrix / temperature + intercepts
        left = np.where(possible, scaled, -np.inf)
        errors = np.logaddexp.reduce(scaled, axis=1) - np.logaddexp.reduce(left, axis=1)
        prior = (math.log(temperature / default) / _TEMPERATURE) ** 2 / 2
        return float(errors.sum()) + prior

    return min((default * multiple for multiple in _MULTIPLES), key=loss)


def _intercepts(
    scaled: Floats, possible: npt.NDArray[np.bool_], start: Floats, categories: int
) -> Floats:
    """Return the likeliest intercepts (k,) under their prior, from the intercepts `start` (n,) of
    all columns. Newton's method, with the curvature as if each answer left one category: that is
    at least the true one, so steps are rather too short."""
    found, precision = start.copy(), _SHARE**-2
    for _ in range(_STEPS):
        logits = scaled + found
        shares = softmax(logits)[:, :categories]
        wanted = softmax(np.where(possible, logits, -np.inf))[:, :categories]
        slope = (shares - wanted).sum(axis=0) + precision * found[:categories]
        curve = np.diag(shares.sum(axis=0) + precision) - shares.T @ shares
        found[:categories] -= np.clip(np.linalg.solve(curve, slope), -1, 1)
    return found[:categories]


def fit_intercepts(
    logits: npt.ArrayLike, verdicts: npt.ArrayLike, *, default: Default | None = None
) -> Calibration:
    """Return the calibration of a set of the mode *any of these*.

    `logits` (n, k) are those of n pictures with answers, held out if the answers also fitted the
    categories; `verdicts` (n, k) the answers: 1 for yes, 0 for no, NaN for none. A category without
    answers gets the usual intercept of the others. Raises ValueError for other shapes.
    """
    usual = default or Default()
    matrix, verdict = np.asarray(logits, dtype=float), np.asarray(verdicts, dtype=float)
    if matrix.shape != verdict.shape:
        raise ValueError("Each logit has a verdict.")
    rows, categories = np.nonzero(~np.isnan(verdict))
    own = np.eye(matrix.shape[1])[categories]
    # Seen from where the default says 1/2, slope and intercept are independent of each other.
    middle = -usual.intercept * usual.any
    apart = (matrix[rows, categories] - middle) / usual.any
    fit = logistic.fit(
        np.column_stack([apart, np.ones(len(rows)), own]),
        verdict[rows, categories],
        centre=[1.0, 0.0] + [0.0] * matrix.shape[1],
        precision=[_SLOPE**-2, _INTERCEPT**-2] + [_CATEGORY**-2] * matrix.shape[1],
    )
    # Contradictory answers flatten the sigmoid, but never turn it round.
    slope, common = max(fit.coefficients[0], 1 / _MULTIPLES[-1]), fit.coefficients[1]
    temperature = usual.any / slope
    return Calibration(temperature, common + fit.coefficients[2:] - middle / temperature)


def _possible(verdicts: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Return which categories (n, k) the answers leave possible."""
    verdict = np.asarray(verdicts, dtype=float)
    yes, no = verdict == 1, verdict == 0
    return np.where(yes.any(axis=1, keepdims=True), yes, ~no)

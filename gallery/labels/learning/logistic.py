"""Logistic regression with a Gaussian prior around a given point, by Newton's method.

Probe, temperature and intercepts are fitted with it. Few, one-sided or contradictory answers move
the coefficients a little away from the prior, never to infinity.

Source of the held-out logits: K. Rahnama Rad and A. Maleki, "A scalable estimate of the
out-of-sample prediction error via approximate leave-one-out cross-validation", JRSS B 82, 2020.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# Newton's method doubles the correct digits with each step.
_STEPS = 50
_CLOSE = 1e-12


@dataclass(frozen=True)
class Fit:
    """`coefficients` (p,), the `logits` (n,) of the answers, and for each answer the logit that a
    fit to all other answers gives it, `held_out` (n,)."""

    coefficients: Floats
    logits: Floats
    held_out: Floats


def fit(
    features: npt.ArrayLike,
    truths: npt.ArrayLike,
    *,
    centre: npt.ArrayLike,
    precision: npt.ArrayLike,
    weights: npt.ArrayLike | None = None,
) -> Fit:
    """Fit sigmoid(features @ coefficients) to truths.

    `features` (n, p); `truths` (n,), each 0 or 1; `weights` (n,) of the answers, by default 1. The
    coefficients have a normal prior with the mean `centre` (p,) and the variances 1 / `precision`
    (p,). The result is the maximum of the posterior, which is unique. Without answers it is
    `centre`. Raises ValueError for a precision that is not positive, and for values that are not
    finite.
    """
    matrix, truth = np.asarray(features, dtype=float), np.asarray(truths, dtype=float)
    mean, inverse = np.asarray(centre, dtype=float), np.asarray(precision, dtype=float)
    weight = np.ones(len(truth)) if weights is None else np.asarray(weights, dtype=float)
    if not all(np.isfinite(part).all() for part in (matrix, truth, mean, inverse, weight)):
        raise ValueError("Answers and priors are finite numbers.")
    if not (inverse > 0).all():
        raise ValueError("A prior needs a positive precision.")

    def loss(at: Floats) -> float:
        logits = matrix @ at
        errors = weight * (np.logaddexp(0.0, logits) - truth * logits)
        return float(errors.sum() + inverse @ (at - mean) ** 2 / 2)

    found, reached = mean, loss(mean)
    for _step in range(_STEPS):
        gradient, hessian = _derivatives(matrix, truth, weight, mean, inverse, found)
        step = np.linalg.solve(hessian, gradient)
        if gradient @ step < _CLOSE:
            break
        while (lower := loss(found - step)) > reached:
            step = step / 2
        found, reached = found - step, lower
    return Fit(found, matrix @ found, _held_out(matrix, truth, weight, mean, inverse, found))


def sigmoid(logits: npt.ArrayLike) -> Floats:
    """Return 1 / (1 + exp(-logits)), in the shape of the logits and without overflow."""
    return np.exp(-np.logaddexp(0.0, -np.asarray(logits, dtype=float)))


def _derivatives(
    matrix: Floats, truth: Floats, weight: Floats, mean: Floats, inverse: Floats, at: Floats
) -> tuple[Floats, Floats]:
    """Return gradient (p,) and Hessian (p, p) of the negative log posterior."""
    probability = sigmoid(matrix @ at)
    gradient = matrix.T @ (weight * (probability - truth)) + inverse * (at - mean)
    curvature = weight * probability * (1 - probability)
    return gradient, (matrix.T * curvature) @ matrix + np.diag(inverse)


def _held_out(
    matrix: Floats, truth: Floats, weight: Floats, mean: Floats, inverse: Floats, at: Floats
) -> Floats:
    """Return the logits (n,) without the answer itself: one Newton step from the fit to all."""
    _gradient, hessian = _derivatives(matrix, truth, weight, mean, inverse, at)
    logits = matrix @ at
    probability = sigmoid(logits)
    leverage = np.einsum("np,pn->n", matrix, np.linalg.solve(hessian, matrix.T))
    curvature = weight * probability * (1 - probability)
    return logits + leverage * weight * (probability - truth) / (1 - curvature * leverage)

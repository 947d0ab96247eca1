"""Logistic regression around a prior: against scikit-learn, and where answers say little."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from gallery.labels.learning import logistic


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(3)


def test_a_prior_at_zero_is_ridge_regression(rng: np.random.Generator) -> None:
    features = rng.normal(size=(80, 4))
    truths = (features @ [1, -2, 0.5, 0] + rng.logistic(size=80) > 0).astype(float)
    weights = rng.uniform(0.5, 2, 80)
    found = logistic.fit(features, truths, centre=np.zeros(4), precision=np.full(4, 0.5),
                         weights=weights)  # fmt: skip
    reference = LogisticRegression(C=2.0, fit_intercept=False, tol=1e-10, max_iter=1000)
    reference.fit(features, truths, sample_weight=weights)
    assert found.coefficients == pytest.approx(reference.coef_[0], abs=1e-5)
    assert found.logits == pytest.approx(features @ reference.coef_[0], abs=1e-4)


def test_a_prior_elsewhere_is_a_shift(rng: np.random.Generator) -> None:
    """sigmoid(x (c + d)) with d around zero is the fit around c: checked by the gradient."""
    features = rng.normal(size=(30, 3))
    truths = rng.integers(0, 2, 30).astype(float)
    centre, precision = np.array([3.0, -1.0, 0.2]), np.array([0.3, 2.0, 10.0])
    at = logistic.fit(features, truths, centre=centre, precision=precision).coefficients
    errors = logistic.sigmoid(features @ at) - truths
    assert features.T @ errors + precision * (at - centre) == pytest.approx(np.zeros(3), abs=1e-4)


def test_no_answers_leave_the_prior() -> None:
    found = logistic.fit(np.empty((0, 2)), [], centre=[1.5, -2], precision=[1, 1])
    assert found.coefficients.tolist() == [1.5, -2]
    assert found.held_out.shape == (0,)


@pytest.mark.parametrize("truths", [np.ones(50), np.zeros(50), np.tile([0.0, 1.0], 25)])
def test_one_sided_and_contradictory_answers_stay_finite(truths: np.ndarray) -> None:
    features = np.repeat([[1000.0, 1.0]], 50, axis=0)
    found = logistic.fit(features, truths, centre=[0.01, -5], precision=[1, 1])
    assert np.isfinite(found.coefficients).all()
    assert np.isfinite(found.held_out).all()


def test_held_out_logits_are_those_of_fits_to_the_others(rng: np.random.Generator) -> None:
    features = rng.normal(size=(40, 10))
    truths = (features[:, 0] + rng.logistic(size=40) > 0).astype(float)
    prior = {"centre": np.zeros(10), "precision": np.full(10, 1.0)}
    found = logistic.fit(features, truths, **prior)
    truly = [
        features[i] @ logistic.fit(np.delete(features, i, 0), np.delete(truths, i), **prior)
        .coefficients
        for i in range(40)
    ]  # fmt: skip
    assert found.held_out == pytest.approx(np.array(truly), abs=0.2)
    # Without it, an answer looks surer than it is.
    signs = 2 * truths - 1
    assert np.mean(signs * found.logits) > np.mean(signs * found.held_out) + 0.2


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        logistic.fit([[np.nan]], [1], centre=[0], precision=[1])
    with pytest.raises(ValueError, match="positive"):
        logistic.fit([[1.0]], [1], centre=[0], precision=[0])

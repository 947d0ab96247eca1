"""Calibration by answers: against scikit-learn, and where answers say little."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression

from gallery.labels.learning import quality, temperature
from gallery.labels.learning.temperature import Default


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(4)


def drawn(rng: np.random.Generator, count: int, truly: float) -> tuple[np.ndarray, np.ndarray]:
    """Logits (n, 6) that are too large by the factor `truly`, and the true categories."""
    calibrated = rng.normal(0, 2, (count, 6))
    shares = temperature.softmax(calibrated)
    classes = (rng.random((count, 1)) > shares.cumsum(axis=1)).sum(axis=1).clip(max=5)
    return calibrated * truly, classes


def yes(classes: np.ndarray) -> np.ndarray:
    """The answers yes to the true categories, and none to the others."""
    verdicts = np.full((len(classes), 6), np.nan)
    verdicts[np.arange(len(classes)), classes] = 1
    return verdicts


def test_each_space_has_a_default() -> None:
    """The starter's is measured, models with a bias bring their own, others go by chance."""
    unrelated = {"centre": 18.0, "spread": 3.0}
    assert temperature.default_of("starter", **unrelated) == temperature.STARTER
    assert temperature.default_of("ViT-B-16-SigLIP", **unrelated, logit_bias=-10) == Default()
    other = temperature.default_of("ViT-B-32", **unrelated)
    assert other == Default(1.0, 2.0, -12.0)
    # Two spreads above the centre of chance, both are as likely.
    calibration = temperature.Calibration(other.any, np.array([other.intercept]))
    assert calibration.probabilities([[24.0], [18.0]])[:, 0] == pytest.approx(
        [0.5, 0.047], abs=0.01
    )
    with pytest.raises(ValueError, match="spread"):
        temperature.default_of("ViT-B-32", centre=18, spread=0)


# --- One of these -----------------------------------------------------------------------


def test_many_answers_find_the_temperature_of_scikit_learn(rng: np.random.Generator) -> None:
    logits, classes = drawn(rng, 3000, 2.5)
    found = temperature.fit_temperature(logits, yes(classes))
    # A model whose logits are its features.
    model = LogisticRegression().fit(logits, classes)
    model.coef_, model.intercept_ = np.eye(6), np.zeros(6)
    reference = CalibratedClassifierCV(FrozenEstimator(model), method="temperature")
    reference.fit(logits, classes)
    beta = reference.calibrated_classifiers_[0].calibrators[0].beta_
    assert found == pytest.approx(1 / beta, rel=0.02)
    assert found == pytest.approx(2.5, rel=0.1)


@pytest.mark.parametrize("truly", [0.5, 1.0, 3.0])
def test_fifty_answers_calibrate(rng: np.random.Generator, truly: float) -> None:
    logits, classes = drawn(rng, 10_050, truly)
    found = temperature.fit_temperature(logits[:50], yes(classes[:50]))
    predicted = quality.of_likeliest(temperature.softmax(logits[50:], found), classes[50:])
    assert quality.calibration_error(*predicted) < 0.05


def test_answers_no_tell_the_temperature_too(rng: np.random.Generator) -> None:
    """Only the likeliest category is asked about: yes or no."""
    logits, classes = drawn(rng, 3000, 2.5)
    best = logits.argmax(axis=1)
    verdicts = np.full(logits.shape, np.nan)
    verdicts[np.arange(len(best)), best] = best == classes
    assert temperature.fit_temperature(logits, verdicts) == pytest.approx(2.5, rel=0.1)


def test_without_answers_the_default_stays() -> None:
    nothing = np.empty((0, 3))
    assert temperature.fit_temperature(nothing, nothing, default=1.7) == pytest.approx(1.7)
    unanswered = np.full((4, 3), np.nan)
    assert temperature.fit_temperature(np.eye(4, 3), unanswered, default=0.6) == pytest.approx(0.6)


def test_answers_that_say_nothing_change_nothing() -> None:
    """No to all, yes to all: nothing is left to compare."""
    for verdict in (0.0, 1.0):
        everything = np.full((20, 3), verdict)
        logits = np.arange(60.0).reshape(20, 3)
        assert temperature.fit_temperature(logits, everything) == pytest.approx(1.0)


@pytest.mark.parametrize("right", [True, False])
def test_few_one_sided_answers_move_it_a_little(right: bool) -> None:
    logits = np.tile([8.0, 0.0, 0.0], (5, 1))
    found = temperature.fit_temperature(logits, yes(np.full(5, 0 if right else 1))[:, :3])
    assert 0.8 < found < 1.01 if right else 1.0 < found < 6


def test_answers_tell_which_category_is_too_likely(rng: np.random.Generator) -> None:
    logits, classes = drawn(rng, 3000, 1.5)
    wanted = np.array([2.0, -1.0, 0.0, 0.0, 0.0, 0.0])
    found = temperature.fit_one(logits + 1.5 * wanted, yes(classes), categories=6)
    assert found.temperature == pytest.approx(1.5, rel=0.1)
    assert found.intercepts - found.intercepts.mean() == pytest.approx(
        wanted.mean() - wanted, abs=0.2
    )


def test_a_category_that_swallows_others_gives_them_back() -> None:
    """Its logits are high with everything, and a few people say no."""
    logits = np.tile([9.0, 5.0, 4.0], (12, 1))
    verdicts = np.full((12, 3), np.nan)
    verdicts[:, 0] = 0
    verdicts[:4, 1] = verdicts[4:8, 2] = 1
    found = temperature.fit_one(logits, verdicts, categories=3)
    assert temperature.softmax(found.logits(logits))[0, 0] < 0.5


def test_without_answers_there_are_no_intercepts() -> None:
    for verdicts in (np.empty((0, 3)), np.full((4, 3), np.nan)):
        logits = np.ones(verdicts.shape)
        found = temperature.fit_one(logits, verdicts, default=0.7, categories=2)
        assert found.temperature == pytest.approx(0.7)
        assert not found.intercepts.any()


def test_logits_and_verdicts_belong_together() -> None:
    with pytest.raises(ValueError, match="verdict"):
        temperature.fit_temperature(np.zeros((3, 2)), np.zeros((3, 3)))
    with pytest.raises(ValueError, match="verdict"):
        temperature.fit_intercepts(np.zeros((3, 2)), np.zeros((2, 2)))


# --- Any of these -----------------------------------------------------------------------


def any_of(
    rng: np.random.Generator, count: int, factor: float, intercepts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Logits (n, k), and verdicts of categories with these intercepts."""
    calibrated = rng.normal(0, 2, (count, len(intercepts)))
    truths = rng.random(calibrated.shape) < temperature.sigmoid(calibrated + intercepts)
    return calibrated * factor, truths.astype(float)


def test_many_answers_find_temperature_and_intercepts(rng: np.random.Generator) -> None:
    intercepts = np.array([-2.0, 0.0, 1.5])
    logits, verdicts = any_of(rng, 4000, 2.0, intercepts)
    found = temperature.fit_intercepts(logits, verdicts)
    assert found.temperature == pytest.approx(2.0, rel=0.1)
    assert found.intercepts == pytest.approx(intercepts, abs=0.15)


def test_a_category_without_answers_gets_the_intercept_of_the_others(
    rng: np.random.Generator,
) -> None:
    logits, verdicts = any_of(rng, 400, 1.0, np.full(6, -2.0))
    verdicts[:, 5] = np.nan
    found = temperature.fit_intercepts(logits, verdicts)
    assert -2.0 < found.intercepts[5] < -1.4


def test_the_default_of_a_space_stays_without_answers() -> None:
    nothing = np.empty((0, 2))
    found = temperature.fit_intercepts(nothing, nothing, default=Default(1, 0.5, -20))
    assert found.temperature == pytest.approx(0.5)
    assert found.intercepts == pytest.approx([-20, -20])
    assert found.probabilities([[10.0, 12.0]])[0] == pytest.approx([0.5, 1 / (1 + np.exp(-4))])


@pytest.mark.parametrize("verdict", [0.0, 1.0])
def test_all_yes_and_all_no_keep_probabilities_within_reason(verdict: float) -> None:
    logits = np.linspace(-4, 4, 60)[:, None]
    found = temperature.fit_intercepts(logits, np.full((60, 1), verdict))
    middle = float(found.probabilities([[0.0]])[0, 0])
    assert 0.5 < abs(middle - (1 - verdict)) < 0.999
    assert found.temperature > 0


def test_contradictory_answers_never_turn_the_order_round() -> None:
    """Yes to the lowest and no to the highest, a hundred times."""
    logits = np.repeat([-3.0, 3.0], 100)[:, None]
    found = temperature.fit_intercepts(logits, np.repeat([1.0, 0.0], 100)[:, None])
    low, high = found.probabilities([[-3.0], [3.0]])[:, 0]
    assert found.temperature > 0
    assert low <= high < 0.9

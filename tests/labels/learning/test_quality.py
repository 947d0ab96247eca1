"""Measures of quality: against scikit-learn, and on libraries of which the truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, confusion_matrix, precision_recall_fscore_support

from gallery.labels.learning import quality


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def test_reliability_is_that_of_scikit_learn(rng: np.random.Generator) -> None:
    predicted = rng.random(300)
    truths = rng.random(300) < predicted**2
    observed, mean = calibration_curve(truths, predicted, n_bins=15, strategy="quantile")
    points = quality.reliability(predicted, truths)
    assert [point.observed.value for point in points] == pytest.approx(list(observed))
    assert [point.predicted for point in points] == pytest.approx(list(mean))
    assert {point.count for point in points} == {20}
    assert quality.calibration_error(predicted, truths) == pytest.approx(
        np.abs(observed - mean).mean()
    )


def test_calibrated_probabilities_have_a_small_error_and_others_a_large_one(
    rng: np.random.Generator,
) -> None:
    predicted = rng.random(20_000)
    truths = rng.random(20_000) < predicted
    assert quality.calibration_error(predicted, truths) < 0.015
    assert quality.calibration_error(predicted**3, truths) > 0.15
    assert quality.brier_score(predicted, truths) < quality.brier_score(predicted**3, truths)


def test_fewer_answers_than_bins_are_a_bin_each() -> None:
    points = quality.reliability([0.9, 0.2], [1, 0])
    assert [point.predicted for point in points] == [0.2, 0.9]
    assert quality.calibration_error([0.9, 0.2], [1, 0]) == pytest.approx(0.15)
    with pytest.raises(ValueError, match="needs answers"):
        quality.calibration_error([], [])


def test_equal_probabilities_of_all_answers_are_judged_alike() -> None:
    truths = np.array([1, 0] * 15)
    assert quality.calibration_error(np.full(30, 0.5), truths) == pytest.approx(0.0)
    assert quality.calibration_error(np.full(30, 0.5), np.sort(truths)) == pytest.approx(0.0)


def test_brier_score_is_that_of_scikit_learn(rng: np.random.Generator) -> None:
    probabilities = rng.dirichlet(np.ones(4), 50)
    classes = rng.integers(0, 4, 50)
    assert quality.brier_score(probabilities, classes) == pytest.approx(
        brier_score_loss(classes, probabilities, labels=range(4), scale_by_half=False)
    )
    truths = classes == 0
    assert quality.brier_score(probabilities[:, 0], truths) == pytest.approx(
        brier_score_loss(truths, probabilities[:, 0])
    )


def test_the_likeliest_category_is_right_or_not() -> None:
    confidence, right = quality.of_likeliest([[0.7, 0.3], [0.4, 0.6]], [0, 0])
    assert confidence.tolist() == [0.7, 0.6]
    assert right.tolist() == [1, 0]


def test_confusion_and_classes_are_those_of_scikit_learn(rng: np.random.Generator) -> None:
    classes, predictions = rng.integers(0, 4, (2, 200))
    matrix = quality.confusion_matrix(classes, predictions, 5)
    assert matrix.tolist() == confusion_matrix(classes, predictions, labels=range(5)).tolist()
    precision, recall, _f, support = precision_recall_fscore_support(
        classes, predictions, labels=range(4)
    )
    found = quality.by_class(matrix)
    assert [one.precision.value for one in found[:4] if one.precision] == pytest.approx(precision)
    assert [one.recall.value for one in found[:4] if one.recall] == pytest.approx(recall)
    assert [one.answers for one in found] == [*support, 0]
    assert found[4].precision is None
    assert found[4].recall is None


def test_a_stratified_sample_counts_each_answer_by_what_it_stands_for() -> None:
    accepted, truths = [True] * 20 + [False] * 9, [True] * 10 + [False] * 5 + [True] * 14
    strata = [1] * 10 + [0] * 19
    weights = [50.0] * 10 + [5.0] * 19
    precision = quality.precision(accepted, truths, strata, weights)
    assert precision is not None
    assert precision.value == pytest.approx((500 + 25) / 550)
    assert precision.low < precision.value < precision.high


def test_where_the_sample_says_nothing_there_is_no_precision() -> None:
    assert quality.precision([], []) is None
    assert quality.precision([False], [True]) is None

"""Thresholds by wish are met on average, and rates that are stated hold."""

from __future__ import annotations

import numpy as np
import pytest

from gallery.labels.learning import asking, thresholds


@pytest.fixture
def library() -> np.ndarray:
    """Calibrated probabilities of a library in which a fifth is of the category."""
    rng = np.random.default_rng(5)
    return np.concatenate([rng.beta(0.3, 6, 8_000), rng.beta(6, 0.8, 2_000)])


@pytest.fixture
def truths(library: np.ndarray) -> np.ndarray:
    return np.random.default_rng(6).random(len(library)) < library


@pytest.mark.parametrize("wish", [0.8, 0.9, 0.95])
def test_a_wish_for_right_ones_is_met(library: np.ndarray, truths: np.ndarray, wish: float) -> None:
    found = thresholds.at_least_right(library, wish)
    taken = library >= found.probability
    assert found.pictures == taken.sum()
    assert truths[taken].mean() == pytest.approx(wish, abs=0.015)
    assert found.precision == pytest.approx(wish, abs=0.002)
    assert found.recall == pytest.approx(truths[taken].sum() / truths.sum(), abs=0.02)
    # The next picture would break it.
    lower = np.sort(library[library < found.probability])[-1]
    assert library[library >= lower].mean() < wish


def test_a_wish_for_nearly_all_is_met(library: np.ndarray, truths: np.ndarray) -> None:
    found = thresholds.nearly_all(library, 0.95)
    taken = library >= found.probability
    assert truths[taken].sum() / truths.sum() == pytest.approx(0.95, abs=0.015)
    assert library[library > found.probability].sum() < 0.95 * library.sum()


def test_a_histogram_says_the_same_as_the_pictures() -> None:
    every = np.repeat([0.2, 0.9, 0.99], [30, 5, 7])
    counted = ([0.9, 0.2, 0.99], [5, 30, 7])
    for wish in (0.5, 0.95):
        assert thresholds.at_least_right(every, wish) == thresholds.at_least_right(
            counted[0], wish, counted[1]
        )
        assert thresholds.nearly_all(every, wish) == thresholds.nearly_all(
            counted[0], wish, counted[1]
        )


def test_a_category_that_nothing_reaches_takes_nothing() -> None:
    found = thresholds.at_least_right([0.5, 0.6], 0.95)
    assert found.probability > 1
    assert (found.pictures, found.precision, found.recall) == (0, None, 0)
    assert thresholds.at_least_right([], 0.95).pictures == 0


def test_a_category_of_everything_takes_everything() -> None:
    assert thresholds.at_least_right([0.97, 0.99], 0.95).pictures == 2
    assert thresholds.nearly_all([0.0, 0.0], 0.95).pictures == 2
    with pytest.raises(ValueError, match="library"):
        thresholds.nearly_all([], 0.95)


def test_a_threshold_by_eye_is_told_what_it_does() -> None:
    found = thresholds.at([0.2, 0.9, 0.7], 0.5)
    assert (found.probability, found.pictures) == (0.5, 2)
    assert found.precision == pytest.approx(0.8)
    assert found.recall == pytest.approx(1.6 / 1.8)
    assert thresholds.at([0.2], 0.5).precision is None


def test_the_rates_of_buckets_hold(library: np.ndarray, truths: np.ndarray) -> None:
    """In 100 samples, and with probabilities that are not calibrated at all."""
    scores = library**3
    right, missed = [], []
    for seed in range(100):
        sample = asking.draw_sample(scores, 400, seed=seed)
        strata, weights = asking.weights(sample.strata, sample.sizes)
        seen = sample.pictures
        buckets = thresholds.buckets(scores[seen], truths[seen], strata, weights)
        if buckets.sure is not None:
            right.append(truths[scores >= buckets.sure].mean() >= 0.9)
        if buckets.no is not None:
            missed.append((truths & (scores < buckets.no)).sum() / truths.sum())
    assert len(right) >= 80
    assert np.mean(right) >= 0.9
    assert len(missed) >= 20
    assert np.mean(missed) <= 0.1


def test_the_rate_of_the_bucket_no_is_not_too_careful(
    library: np.ndarray, truths: np.ndarray
) -> None:
    """A plain random sample: of the right pictures nearly, and at most, a tenth is lost."""
    rng, missed = np.random.default_rng(8), []
    for _draw in range(200):
        seen = rng.choice(len(library), 200, replace=False)
        floor = thresholds.conformal_floor(library[seen], truths[seen], rate=0.9)
        assert floor is not None
        missed.append((truths & (library < floor)).sum() / truths.sum())
    assert 0.07 <= np.mean(missed) <= 0.105


def test_few_answers_prove_nothing() -> None:
    """Twenty-one right answers may come by chance from a bucket in which a tenth is wrong."""
    buckets = thresholds.buckets(np.linspace(0.6, 0.9, 21), np.ones(21))
    assert buckets.sure is None
    assert buckets.precision is None
    assert thresholds.buckets(np.linspace(0.6, 0.9, 22), np.ones(22)).sure == 0.6


def test_buckets_end_where_answers_are_wrong() -> None:
    probabilities = np.linspace(0.01, 0.99, 99)
    truths = probabilities > 0.5
    buckets = thresholds.buckets(probabilities, truths)
    assert buckets.sure is not None
    assert buckets.no is not None
    assert buckets.precision is not None
    assert 0.4 < buckets.sure <= 0.51
    assert buckets.no == buckets.sure
    assert buckets.precision.low >= 0.9


@pytest.mark.parametrize("verdict", [0, 1])
def test_one_sided_answers_make_no_empty_promises(verdict: int) -> None:
    buckets = thresholds.buckets(np.linspace(0, 1, 40), np.full(40, verdict))
    if verdict:
        assert buckets.sure == 0
    else:
        assert (buckets.sure, buckets.no) == (None, None)
    nothing = thresholds.buckets([], [])
    assert (nothing.sure, nothing.no, nothing.precision) == (None, None, None)


def test_the_conformal_floor_is_the_order_statistic() -> None:
    """Below the k-th of p right ones lie k / (p + 1) of the next ones."""
    for answers, expected in ((19, 0.1), (9, 0.05), (8, None)):
        probabilities = np.arange(1, answers + 1) / 20
        assert thresholds.conformal_floor(probabilities, np.ones(answers), rate=0.9) == expected
    assert thresholds.conformal_floor([], [], rate=0.9) is None
    assert thresholds.conformal_floor([0.3], [0], rate=0.9) is None


def test_a_wrong_answer_that_stands_for_many_lowers_the_floor() -> None:
    """Where one answer stands for fifty pictures, right ones may lie unseen."""
    probabilities, truths = np.linspace(0, 0.95, 20), np.r_[0.0, np.ones(19)]
    assert (
        thresholds.conformal_floor(probabilities, truths, np.ones(20), rate=0.9) == probabilities[2]
    )
    heavy = np.r_[50.0, np.ones(19)]
    assert thresholds.conformal_floor(probabilities, truths, heavy, rate=0.9) is None

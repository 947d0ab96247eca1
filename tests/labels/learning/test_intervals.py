"""Intervals: against scipy, and how often they hold the truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from gallery.labels.learning.intervals import (
    Counts,
    clopper_pearson,
    share,
    wilson,
)


@pytest.mark.parametrize(
    ("hits", "count"), [(0, 1), (1, 1), (0, 30), (30, 30), (7, 20), (480, 500)]
)
@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_both_intervals_are_those_of_scipy(hits: int, count: int, confidence: float) -> None:
    reference = stats.binomtest(hits, count)
    for ours, method in ((clopper_pearson, "exact"), (wilson, "wilson")):
        expected = reference.proportion_ci(confidence, method)
        found = ours(hits, count, confidence)
        assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-9)
        assert found.value == hits / count


@pytest.mark.parametrize(("hits", "count"), [(0, 0), (-1, 3), (4, 3)])
def test_what_is_no_share_is_refused(hits: int, count: int) -> None:
    for interval in (wilson, clopper_pearson):
        with pytest.raises(ValueError, match="is no share"):
            interval(hits, count)


def counts(successes: list[int], answers: list[int], sizes: list[float]) -> Counts:
    return Counts(np.array(successes), np.array(answers), np.array(sizes))


def test_a_single_stratum_keeps_its_interval() -> None:
    found = share(counts([7], [20], [5000]))
    assert found is not None
    expected = wilson(7, 20)
    assert (found.value, found.low, found.high) == pytest.approx(
        (expected.value, expected.low, expected.high)
    )


def test_strata_count_by_their_sizes() -> None:
    found = share(counts([10, 0], [10, 10], [100, 900]))
    assert found is not None
    assert found.value == pytest.approx(0.1)
    assert found.low < 0.1 < found.high


def test_without_a_sample_nobody_knows() -> None:
    assert share(counts([], [], [])) is None


def test_intervals_of_strata_hold_the_truth_as_often_as_they_say() -> None:
    rng = np.random.default_rng(11)
    sizes, rates = np.array([2000, 300, 100]), np.array([0.01, 0.3, 0.9])
    truths = [rng.random(size) < rate for size, rate in zip(sizes, rates, strict=True)]
    right = sum(truth.sum() for truth in truths) / sizes.sum()
    held = []
    for _draw in range(400):
        seen = np.array([rng.choice(truth, 20, replace=False).sum() for truth in truths])
        found = share(Counts(seen, np.full(3, 20), sizes.astype(float)))
        assert found is not None
        held.append(found.low <= right <= found.high)
    assert np.mean(held) >= 0.93

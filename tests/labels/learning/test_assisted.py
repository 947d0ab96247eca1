"""Precision and recall of a library, on made-up libraries of which the truth is known."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from gallery.labels.learning import asking, assisted
from gallery.labels.learning.assisted import Library, Sample
from gallery.labels.learning.intervals import Estimate

Floats = npt.NDArray[np.float64]


def probabilities(seed: int, count: int = 1000, rare: float = 4.0) -> Floats:
    """Return those of a library: most pictures surely show something else."""
    logits = np.random.default_rng(seed).normal(-rare, 2.5, count)
    return np.asarray(1 / (1 + np.exp(-logits)))


def estimated(
    library: Floats, truths: npt.NDArray[np.bool_], answers: int, seed: int
) -> tuple[Estimate | None, Estimate | None]:
    accepted = library >= 0.5
    drawn = asking.draw_sample(library, answers, seed=seed)
    strata, weights = asking.weights(drawn.strata, drawn.sizes)
    seen = drawn.pictures
    return assisted.precision_and_recall(
        Sample(accepted[seen], truths[seen], strata, weights, library[seen]),
        Library(library, accepted),
    )


def sample(
    accepted: list[int], truths: list[int], weights: list[float], shares: list[float]
) -> Sample:
    return Sample(
        np.array(accepted, dtype=bool),
        np.array(truths, dtype=bool),
        np.arange(len(accepted)),
        np.array(weights),
        np.array(shares),
    )


@pytest.mark.parametrize(
    ("distort", "least"),
    [(1.0, 0.93), (0.5, 0.93), (1.5, 0.85)],
    ids=["true", "unsure", "too sure"],
)
def test_intervals_hold_the_truth_as_often_as_they_say(distort: float, least: float) -> None:
    """Where the logits that the probabilities come from are half as large as they should be, too.
    Where they are too large, the intervals hold it somewhat less often."""
    held: list[list[bool]] = [[], []]
    for seed in range(150):
        library = probabilities(seed)
        odds = np.log(library / (1 - library)) / distort
        truths = np.random.default_rng([seed, 1]).random(len(library)) < 1 / (1 + np.exp(-odds))
        accepted = library >= 0.5
        right = (accepted & truths).sum()
        for found, truth, kept in zip(
            estimated(library, truths, 18, seed),
            (right / accepted.sum(), right / truths.sum()),
            held,
            strict=True,
        ):
            if found is not None:
                kept.append(found.low <= truth <= found.high)
    assert np.mean(held[0]) >= least
    assert np.mean(held[1]) >= least


def test_a_sample_without_found_ones_does_not_say_that_nothing_is_found() -> None:
    """One yes among what has no label, and no answer about a label: recall is not 0."""
    library = Library(np.array([0.9] * 10 + [0.05] * 90), np.array([True] * 10 + [False] * 90))
    precision, recall = assisted.precision_and_recall(
        sample([0, 0, 0, 0], [1, 0, 0, 0], [25.0] * 4, [0.05] * 4), library
    )
    assert precision is None
    assert recall is not None
    assert recall.low < 0.3 < recall.high


def test_answers_outweigh_probabilities() -> None:
    truths = np.array([True] * 2 + [False] * 38)
    shares = np.full(40, 0.9)
    seen = Sample(np.full(40, True), truths, np.zeros(40, int), np.full(40, 25.0), shares)
    precision, _recall = assisted.precision_and_recall(seen, Library(shares, np.full(40, True)))
    assert precision is not None
    assert 0.02 < precision.low < precision.value < precision.high < 0.25


def test_when_everything_is_answered_the_figures_are_exact() -> None:
    accepted, truths = [1, 1, 1, 1, 0, 0], [1, 1, 1, 0, 1, 0]
    shares = [0.9, 0.9, 0.8, 0.7, 0.3, 0.1]
    found = assisted.precision_and_recall(
        sample(accepted, truths, [1.0] * 6, shares),
        Library(np.array(shares), np.array(accepted, dtype=bool)),
    )
    for estimate in found:
        assert estimate is not None
        assert (estimate.value, estimate.low, estimate.high) == pytest.approx((0.75,) * 3)


def test_a_stratum_without_answers_about_labels_counts_by_their_number() -> None:
    """The library tells how many pictures have the label, however few of the sample have it."""
    accepted = np.array([True] * 500 + [False] * 500)
    library = Library(np.where(accepted, 0.8, 0.1), accepted)
    one_of_ten = sample([1] + [0] * 9, [1] + [0] * 9, [100.0] * 10, [0.8] + [0.1] * 9)
    _precision, recall = assisted.precision_and_recall(one_of_ten, library)
    assert recall is not None
    assert recall.value > 0.8


def test_the_same_answers_give_the_same_figures() -> None:
    library = probabilities(3)
    truths = np.random.default_rng(4).random(len(library)) < library
    one, same = (estimated(library, truths, 18, 5) for _ in range(2))
    assert one == same
    assert one[1] is not None


def test_where_the_answers_say_nothing_there_is_no_figure() -> None:
    library = Library(np.array([0.9, 0.1]), np.array([True, False]))
    nothing = np.empty(0)
    empty = Sample(
        nothing.astype(bool), nothing.astype(bool), nothing.astype(int), nothing, nothing
    )
    assert assisted.precision_and_recall(empty, library) == (None, None)
    assert assisted.precision_and_recall(sample([0], [0], [2.0], [0.1]), library) == (None, None)

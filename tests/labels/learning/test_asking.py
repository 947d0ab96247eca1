"""What to ask: a fair sample, and the most telling pictures, spread out."""

from __future__ import annotations

import numpy as np
import pytest

from gallery.labels.learning import asking, assisted


@pytest.fixture
def library() -> np.ndarray:
    """The probabilities of a library in which one picture in twenty is of the category."""
    rng = np.random.default_rng(5)
    return np.concatenate([rng.beta(0.2, 12, 9_500), rng.beta(3, 2, 500)])


def test_a_sample_asks_more_where_the_model_is_unsure(library: np.ndarray) -> None:
    sample = asking.draw_sample(library, 48, seed=1)
    assert np.bincount(sample.strata).tolist() == [8] * 6
    assert len(set(sample.pictures)) == 48
    assert sample.sizes.sum() == len(library)
    assert sample.sizes[0] > 10 * sample.sizes[-2]
    lowest, highest = library[sample.pictures[sample.strata == 0]], library[sample.pictures]
    assert lowest.max() <= np.delete(highest, np.flatnonzero(sample.strata == 0)).min()


def test_the_same_seed_draws_the_same_sample(library: np.ndarray) -> None:
    one, same = asking.draw_sample(library, 48, seed=1), asking.draw_sample(library, 48, seed=1)
    other = asking.draw_sample(library, 48, seed=2)
    assert one.pictures.tolist() == same.pictures.tolist()
    assert one.pictures.tolist() != other.pictures.tolist()
    shorter = asking.draw_sample(library, 20, seed=1)
    assert shorter.pictures.tolist() == one.pictures[:20].tolist()


def test_precision_and_recall_of_samples_are_right_on_average(library: np.ndarray) -> None:
    truths = np.random.default_rng(9).random(len(library)) < library
    accepted = library >= 0.5
    right = (accepted & truths).sum()
    found = []
    for seed in range(200):
        sample = asking.draw_sample(library, 60, seed=seed)
        strata, weights = asking.weights(sample.strata, sample.sizes)
        seen = sample.pictures
        estimates = assisted.precision_and_recall(
            assisted.Sample(accepted[seen], truths[seen], strata, weights, library[seen]),
            assisted.Library(library, accepted),
        )
        found.append([estimate.value for estimate in estimates if estimate])
    precision, recall = np.mean(found, axis=0)
    assert precision == pytest.approx(right / accepted.sum(), abs=0.02)
    assert recall == pytest.approx(right / truths.sum(), abs=0.04)


def test_skipped_pictures_shift_their_weight_to_the_answered_ones() -> None:
    strata, weights = asking.weights([0, 0, 2], [100, 30, 10])
    # Nobody answered in the middle: it counts with the lowest.
    assert strata.tolist() == [0, 0, 2]
    assert weights.tolist() == [65, 65, 10]
    assert asking.weights([], [100, 30])[1].shape == (0,)


@pytest.mark.parametrize("probability", [0.0, 0.5, 1.0])
def test_a_category_that_tells_nothing_apart_is_sampled_too(probability: float) -> None:
    sample = asking.draw_sample(np.full(100, probability), 12, seed=0)
    assert len(sample.pictures) == 12
    assert sample.sizes.sum() == 100


def test_small_and_empty_libraries_are_asked_whole() -> None:
    assert sorted(asking.draw_sample([0.1, 0.9, 0.5], 50, seed=0).pictures) == [0, 1, 2]
    assert len(asking.draw_sample([], 50, seed=0).pictures) == 0
    assert len(asking.most_telling([], 0.5, 12)) == 0
    assert len(asking.most_telling([], 0.5, 12, places=np.empty((0, 2)))) == 0


def test_the_nearest_to_the_threshold_come_first() -> None:
    probabilities = [0.01, 0.45, 0.99, 0.56, 0.3]
    assert asking.most_telling(probabilities, 0.5, 3).tolist() == [1, 3, 4]
    assert asking.most_telling(probabilities, 0.98, 1).tolist() == [2]


def test_nothing_is_asked_twice_nor_one_of_a_group_that_was_answered() -> None:
    found = asking.most_telling(
        [0.5, 0.51, 0.52, 0.53, 0.6, 0.7],
        0.5,
        6,
        answered=[True, False, False, False, False, False],
        groups=[3, 3, 8, 8, -1, -1],
    )
    assert found.tolist() == [2, 4, 5]


def test_questions_are_spread_over_the_map() -> None:
    """Forty equally telling pictures in two far corners: both are asked about."""
    places = np.concatenate([np.full((38, 2), 0.1), np.full((2, 2), 0.9)])
    places += np.random.default_rng(2).normal(0, 0.001, places.shape)
    probabilities = np.concatenate([np.full(38, 0.5), np.full(2, 0.55)])
    found = asking.most_telling(probabilities, 0.5, 5, places=places)
    assert found[0] == 0
    assert (found >= 38).sum() >= 1
    assert (asking.most_telling(probabilities, 0.5, 5) < 38).all()

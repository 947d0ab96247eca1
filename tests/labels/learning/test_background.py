"""“None of these”: which words make it, and what they say."""

from __future__ import annotations

import numpy as np
import pytest

from gallery.encoders.base import l2_normalise
from gallery.labels.learning import background


def test_words_near_a_category_are_left_out() -> None:
    categories = np.eye(4)[:2]
    words = l2_normalise([[1, 0, 1, 0], [0, 0, 1, 0], [0, 0.9, 0, 1], [0.1, 0, 0, 1]])
    assert background.choose_background(words, categories, 2).tolist() == [1, 3]
    assert len(background.choose_background(words, categories, 9)) == 4
    with pytest.raises(ValueError, match="categories"):
        background.choose_background(words, np.empty((0, 4)), 2)


def test_one_near_category_in_twenty_is_not_drowned_by_the_others() -> None:
    categories = np.eye(30)[:20]
    near_one, far = np.eye(30)[0], np.eye(30)[29]
    assert background.choose_background([near_one, far], categories, 1).tolist() == [1]


def test_none_stands_against_the_categories_whatever_their_numbers() -> None:
    inside, outside = np.array([[1.0, 2.0], [0.0, 9.0]]), np.array([[3.0], [0.0]])
    means = np.exp(inside).mean(axis=1), np.exp(outside).mean(axis=1)
    expected = means[1] / (means[0] + means[1])
    assert background.none_probability(inside, outside) == pytest.approx(expected)
    doubled = np.repeat(outside, 50, axis=1)
    assert background.none_probability(inside, doubled) == pytest.approx(expected)
    likelier = background.none_probability(inside, outside, odds=3.0)
    assert likelier == pytest.approx(3 * expected / (3 * expected + 1 - expected))


def test_large_logits_and_an_empty_background_are_fine() -> None:
    assert background.none_probability([[1000.0]], [[-1000.0]]).tolist() == [0]
    assert background.none_probability([[-1000.0]], [[1000.0]]).tolist() == [1]
    assert background.none_probability([[5.0]], np.empty((1, 0))).tolist() == [0]


def test_answers_tell_how_often_nothing_is_shown() -> None:
    rng = np.random.default_rng(2)
    inside, outside = rng.normal(size=(2000, 3)), rng.normal(size=(2000, 40))
    truths = rng.random(2000) < background.none_probability(inside, outside, odds=4.0)
    assert background.fit_odds(inside, outside, truths) == pytest.approx(4.0, rel=0.2)


@pytest.mark.parametrize("verdict", [0, 1])
def test_one_sided_answers_move_the_odds_within_reason(verdict: int) -> None:
    nothing = background.fit_odds(np.empty((0, 2)), np.empty((0, 5)), [])
    assert nothing == pytest.approx(1.0)
    odds = background.fit_odds(np.zeros((50, 2)), np.zeros((50, 5)), np.full(50, verdict))
    assert 1 < (odds if verdict else 1 / odds) < 500

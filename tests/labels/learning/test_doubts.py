"""Which answers the model doubts."""

from __future__ import annotations

import numpy as np

from gallery.labels.learning import doubts


def test_wrong_answers_are_found_and_the_surest_come_first() -> None:
    rng = np.random.default_rng(3)
    truths = rng.integers(0, 2, 400)
    probabilities = np.where(truths == 1, rng.beta(6, 2, 400), rng.beta(2, 6, 400))
    verdicts = truths.copy()
    wrong = rng.choice(400, 20, replace=False)
    verdicts[wrong] = 1 - verdicts[wrong]
    found = doubts.doubtful_verdicts(probabilities, verdicts)
    assert np.isin(found[:10], wrong).mean() >= 0.9
    assert np.isin(wrong, found).mean() >= 0.6
    against = np.where(verdicts == 1, 1 - probabilities, probabilities)[found]
    assert (np.diff(against) <= 1e-12).all()


def test_a_category_without_labels_casts_no_doubt() -> None:
    assert doubts.doubtful([[0.1, 0.9], [0.2, 0.8]], [0, 0]).tolist() == []
    assert doubts.doubtful_verdicts([0.9, 0.8], [0, 0]).tolist() == []


def test_a_weak_category_needs_less_to_cast_a_doubt() -> None:
    """Where people chose the second category, the model gave it .4 on average."""
    probabilities = [[0.6, 0.4], [0.6, 0.4], [0.45, 0.55], [0.9, 0.1]]
    assert doubts.doubtful(probabilities, [1, 1, 0, 0]).tolist() == [2]


def test_without_labels_there_is_nothing_to_doubt() -> None:
    assert doubts.doubtful(np.empty((0, 3)), []).tolist() == []

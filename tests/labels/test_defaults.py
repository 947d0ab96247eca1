"""Probabilities before there are answers."""

from __future__ import annotations

import numpy as np
import pytest

from gallery.errors import Unavailable
from gallery.indexing import concepts
from gallery.indexing.text_fit import Reference
from gallery.labels import background, defaults
from gallery.labels.learning.temperature import STARTER, Default
from gallery.models import Embedding, User
from tests.factories import make_space
from tests.labels.tools import DIMENSIONS, picture, word_space

pytestmark = pytest.mark.django_db


def test_the_starter_has_its_own() -> None:
    assert defaults.of(make_space(architecture="starter")) == STARTER


def test_a_model_with_a_bias_needs_none() -> None:
    assert defaults.of(make_space(logit_bias=-10.0)) == Default()


def test_each_text_is_judged_by_what_concepts_score_on_the_same_pictures(alice: User) -> None:
    space = word_space()
    for n in range(12):
        picture(alice, space, red=1, green=n / 10)
    usual = defaults.of(space)
    assert usual.one == 1.0
    texts = np.eye(DIMENSIONS, dtype=np.float32)[:3]
    words = concepts.vectors(space)
    assert words is not None
    pictures = np.array([np.asarray(row.vector) for row in Embedding.objects.all()], dtype="f4")
    odds = defaults.odds(usual, space, texts)
    for number, fit in enumerate(Reference(words, pictures).fits(texts)):
        # At the line, a text fits as likely as not.
        at_line = odds.of(np.full((1, 3), fit.line))[0, number]
        assert at_line == pytest.approx(0, abs=0.01 * fit.slope)
        assert odds.slopes[number] == pytest.approx(fit.slope, rel=0.01)


def test_one_of_these_needs_no_pictures(alice: User) -> None:
    space = word_space()
    for _ in range(12):
        picture(alice, space, red=1)
    assert not isinstance(defaults.of(space, judged=False), defaults.Judged)


def test_before_anything_is_measured_a_model_is_like_most_others() -> None:
    usual = defaults.of(make_space(logit_scale=100.0))
    assert 0.2 < -usual.intercept * usual.any / 100 < 0.3


def test_background_words_are_far_from_the_categories() -> None:
    space = word_space()
    category = np.eye(DIMENSIONS, dtype=np.float32)[[5]]  # the direction of "bird"
    words = background.vectors(space, category)
    assert len(words) == background.COUNT
    everything = concepts.vectors(space)
    assert everything is not None
    assert (words @ category.T).max() < np.quantile(everything @ category.T, 0.6)
    with pytest.raises(Unavailable):
        background.vectors(make_space("building"), category)

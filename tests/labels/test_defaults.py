"""Probabilities before there are answers."""

from __future__ import annotations

import numpy as np
import pytest

from gallery.errors import Unavailable
from gallery.indexing import concepts
from gallery.labels import background, defaults
from gallery.labels.learning.temperature import STARTER, Default
from gallery.models import User
from tests.factories import make_space
from tests.labels.tools import DIMENSIONS, SCALE, picture, word_space

pytestmark = pytest.mark.django_db


def test_the_starter_has_its_own() -> None:
    assert defaults.of(make_space(architecture="starter")) == STARTER


def test_a_model_with_a_bias_needs_none() -> None:
    assert defaults.of(make_space(logit_bias=-10.0)) == Default()


def test_others_are_as_sure_as_unrelated_pictures_let_them_be(alice: User) -> None:
    space = word_space()
    for _ in range(12):
        picture(alice, space, red=1)
    usual = defaults.of(space)
    assert usual.one == 1.0
    # A text is as likely as not to fit a picture at the cosine that this far from chance.
    even = -usual.intercept * usual.any / SCALE
    words = concepts.vectors(space)
    assert words is not None
    cosines = words[:, 0]
    assert even == pytest.approx(cosines.mean() + 2 * cosines.std(), abs=0.1)


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

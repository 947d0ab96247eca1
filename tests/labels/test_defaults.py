"""Probabilities before there are answers."""

from __future__ import annotations

import pytest

from gallery.labels import defaults
from gallery.labels.learning.temperature import STARTER, Default
from gallery.models import EmbeddingSpace


def space(**facts: object) -> EmbeddingSpace:
    return EmbeddingSpace(**{"architecture": "ViT-B-32", "logit_scale": 100.0, **facts})  # type: ignore[arg-type]


def test_the_starter_has_its_own() -> None:
    assert defaults.of(space(architecture="starter")) == STARTER


def test_a_model_with_a_bias_needs_none() -> None:
    assert defaults.of(space(logit_bias=-10.0)) == Default()


def test_others_are_as_sure_as_unrelated_pictures_let_them_be() -> None:
    measured = {"text": {"centre": 0.2, "scatter": 0.0, "spread": 0.02}}
    usual = defaults.of(space(calibration=measured))
    # A text is as likely as not to fit a picture some spreads above chance.
    even = -usual.intercept * usual.any / 100
    assert 0.2 < even < 0.3
    assert defaults.of(space()).any > 0
    assert usual.one == pytest.approx(1.0)

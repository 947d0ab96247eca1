"""Templates of label sets."""

from __future__ import annotations

import open_clip

from gallery.labels.templates import ENSEMBLE, fill, has_place


def test_the_ensemble_is_that_of_open_clip() -> None:
    theirs = [template("dog") for template in open_clip.SIMPLE_IMAGENET_TEMPLATES]
    assert [fill(template, "dog") for template in ENSEMBLE] == theirs
    assert all(map(has_place, ENSEMBLE))

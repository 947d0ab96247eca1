"""Where the next answers pay most."""

from __future__ import annotations

import math
from collections.abc import Sequence

from gallery.labels.asking import COUNT
from gallery.labels.learning.intervals import Estimate
from gallery.labels.quality import CategoryQuality
from gallery.models import Category


def pays_most(categories: Sequence[CategoryQuality], pictures: int) -> Category:
    """Return the category of which the next answers tell most, as far as there are `pictures` left
    to ask about; of equal ones that with the fewest answers."""
    return max(
        categories, key=lambda one: (one.answers < pictures, _gain(one), -one.answers)
    ).category


def _gain(found: CategoryQuality) -> float:
    """By how much a dozen answers narrow the intervals, which goes by the root of their number,
    weighted by the pictures that these are about. The logarithm of them: a large category must
    not keep a small one from ever being asked about."""
    answers = found.answers + 1
    narrowed = 1 - math.sqrt(answers / (answers + COUNT))
    about_labelled = _width(found.precision) * math.log(2 + found.labelled)
    about_right = _width(found.recall) * math.log(2 + found.expected)
    return narrowed * (about_labelled + about_right)


def _width(estimate: Estimate | None) -> float:
    return 1.0 if estimate is None else estimate.high - estimate.low

"""Where the next answers pay most."""

from __future__ import annotations

from collections.abc import Sequence

from gallery.labels.learning.intervals import Estimate
from gallery.labels.quality import CategoryQuality
from gallery.models import Category


def most_open(categories: Sequence[CategoryQuality]) -> Category:
    """Return the category of which one knows least: the widest intervals of precision and recall
    together, of equal ones that with the fewest answers."""
    return max(categories, key=lambda one: (_unknown(one), -one.answers)).category


def _unknown(found: CategoryQuality) -> float:
    return _width(found.precision) + _width(found.recall)


def _width(estimate: Estimate | None) -> float:
    return 1.0 if estimate is None else estimate.high - estimate.low

"""The categories of one picture: its labels, people's answers, and what a set thinks of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from gallery.indexing.spaces import require_active_space
from gallery.indexing.vectors import stored_vector
from gallery.labels import fitting, reading
from gallery.labels.probabilities import of_vector
from gallery.models import Answer, Category, Image, LabelSet, Viewer


@dataclass(frozen=True)
class Opinion:
    """A category of a picture. `probability` is that of its label or, without one, what the set
    thinks now; None: nobody knows. `verdict` is what a person said, or None."""

    category: Category
    probability: float | None
    verdict: bool | None


def opinions(image: Image, viewer: Viewer) -> list[Opinion]:
    """Return the labels of a picture and the categories to which people said no, of all sets that
    `viewer` may see, by set. The caller checks that they may see the picture."""
    shown = reading.of_picture(image, viewer)
    seen = {one.category.pk for one in shown}
    found = [
        Opinion(one.category, one.probability, True if one.is_human else None) for one in shown
    ]
    refused = Answer.objects.filter(
        image=image, verdict=False, category__in=reading.categories_for(viewer).order_by()
    ).exclude(category__in=seen)
    found += [
        Opinion(answer.category, None, verdict=False)
        for answer in refused.select_related("category__label_set")
    ]
    return sorted(found, key=_place)


def thoughts(image: Image, label_set: LabelSet, most: int) -> list[Opinion]:
    """Return what a set thinks of a picture now, the likeliest categories first and answered ones
    always. Empty while the set is being prepared. Raises Refusal (not_encoded_yet), Unavailable."""
    space = require_active_space()
    vector = stored_vector(image, space)
    fit = fitting.current(label_set, space)
    if fit is None:
        return []
    weights = fitting.weights_of(fit)
    shares, _none = of_vector(weights, vector)
    said = _verdicts(image, weights.categories)
    known = Category.objects.filter(retired_at=None).in_bulk(weights.categories)
    found = [
        Opinion(known[pk], float(share), said.get(pk))
        for pk, share in zip(weights.categories, shares, strict=True)
        if pk in known
    ]
    found.sort(key=lambda one: -(one.probability or 0))
    return [one for place, one in enumerate(found) if place < most or one.verdict is not None]


def _verdicts(image: Image, categories: Sequence[UUID]) -> dict[UUID, bool]:
    rows = Answer.objects.filter(image=image, category__in=list(categories))
    return dict(rows.values_list("category_id", "verdict"))


def _place(opinion: Opinion) -> tuple[str, UUID, bool, float, int]:
    """Sets by their names, labels before refused categories, the likeliest first."""
    category, share = opinion.category, opinion.probability or 0.0
    refused = opinion.verdict is False
    return category.label_set.name, category.label_set_id, refused, -share, category.position

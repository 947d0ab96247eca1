"""The label set and the category of an address."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from gallery.labels import sets
from gallery.models import Category, LabelSet
from gallery.web.labels.loading import name_of


def named(request: HttpRequest, label_set: LabelSet) -> Category | None:
    """Return the category of the query, if it names one. Raises Refusal (unknown_category)."""
    wanted = request.GET.get("category", "")
    return sets.category(label_set, wanted) if wanted else None


def choices(label_set: LabelSet, chosen: Category) -> list[dict[str, Any]]:
    """Return the categories for a field to choose one."""
    return [
        {"id": str(row.pk), "name": name_of(row), "is_chosen": row.pk == chosen.pk}
        for row in sets.categories_of(label_set)
    ]

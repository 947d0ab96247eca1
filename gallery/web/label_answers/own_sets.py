"""The label set and the category of an address."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from gallery.labels import sets
from gallery.models import Category, LabelSet, User
from gallery.web.label_answers.words import name_of


def changeable(pk: UUID, user: User) -> LabelSet:
    """Return a set that `user` may change. Raises Http404."""
    return get_object_or_404(LabelSet.objects.changeable_by(user), pk=pk)


def named(request: HttpRequest, label_set: LabelSet) -> Category | None:
    """Return the category of the query, if it names one. Raises Refusal (unknown_category)."""
    wanted = request.GET.get("category", "")
    return sets.category(label_set, wanted) if wanted else None


def frame(label_set: LabelSet, tab: str) -> dict[str, Any]:
    """Return what the head of each page of a set needs."""
    return {"label_set": label_set, "tab": tab}


def choices(label_set: LabelSet, chosen: Category) -> list[dict[str, Any]]:
    """Return the categories for a field to choose one."""
    return [
        {"id": str(row.pk), "name": name_of(row), "is_chosen": row.pk == chosen.pk}
        for row in sets.categories_of(label_set)
    ]

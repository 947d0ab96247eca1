"""Label sets that a viewer may see or change, and what all their pages show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils.translation import get_language

from gallery.labels import sets
from gallery.labels.definition import CategoryForm
from gallery.models import Category, LabelSet


def seen(request: HttpRequest, pk: UUID) -> LabelSet:
    """Return a set that the viewer may see. Raises Http404."""
    visible = LabelSet.objects.visible_to(request.user)
    return get_object_or_404(sets.with_version(visible), pk=pk)


def changeable(request: HttpRequest, pk: UUID) -> LabelSet:
    """Return a set that the viewer may change. Raises Http404."""
    own = LabelSet.objects.changeable_by(request.user)
    return get_object_or_404(sets.with_version(own), pk=pk)


def may_change(request: HttpRequest, label_set: LabelSet) -> bool:
    return LabelSet.objects.changeable_by(request.user).filter(pk=label_set.pk).exists()


def head(request: HttpRequest, label_set: LabelSet, tab: str) -> dict[str, Any]:
    """Return the values of templates/labels/head.html. `tab` is the current one: pictures,
    answer, quality, evaluate, charts or edit."""
    return {
        "label_set": label_set,
        "may_change": may_change(request, label_set),
        "tab": tab,
    }


def name_of(category: Category | CategoryForm) -> str:
    """Return the name in the viewer's language, or else the category's own."""
    language = (get_language() or "").lower()
    names: Mapping[str, str] = category.names
    return names.get(language) or names.get(language.partition("-")[0]) or category.name

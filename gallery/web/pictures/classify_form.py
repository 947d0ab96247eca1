"""The form of a classification: typed categories, or those of a label set."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from gallery.classification import service
from gallery.errors import Refusal
from gallery.models import LabelSet, LabelSetVersion
from gallery.search.filters.categories import as_id


def asked_in(request: HttpRequest) -> dict[str, Any]:
    """Return the values of the form, to show them again."""
    return {
        "classnames": request.POST.get("classnames", ""),
        "template": request.POST.get("template", "").strip(),
        "none_of_these": "none_of_these" in request.POST,
        "mode": request.POST.get("mode", ""),
        "chosen_set": request.POST.get("label_set", ""),
    }


def arguments(request: HttpRequest, asked: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of the service. Raises Refusal (unknown_label_set, unknown_mode)."""
    if asked["chosen_set"]:
        return {"label_set": _label_set(request, asked["chosen_set"])}
    if asked["mode"] not in ("", *LabelSetVersion.Mode.values):
        raise Refusal("unknown_mode", _("Choose one of the offered ways to compare."), "mode")
    return {
        "classnames": service.parse_classnames(asked["classnames"]),
        "templates": [asked["template"]] if asked["template"] else None,
        "none_of_these": asked["none_of_these"],
        "mode": asked["mode"] or None,
    }


def choices(request: HttpRequest) -> dict[str, Any]:
    """Return what the form offers: the label sets that the visitor may see, and the modes."""
    visible = LabelSet.objects.visible_to(request.user)
    return {
        "label_sets": [(str(pk), name) for pk, name in visible.values_list("pk", "name")],
        "modes": [("", _("As the model was trained")), *LabelSetVersion.Mode.choices],
    }


def _label_set(request: HttpRequest, text: str) -> LabelSet:
    pk = as_id(text)
    visible = LabelSet.objects.visible_to(request.user)
    found = visible.filter(pk=pk).first() if pk else None
    if found is None:
        raise Refusal(
            "unknown_label_set", _("There is no such label set, or it is not yours."), "label_set"
        )
    return found

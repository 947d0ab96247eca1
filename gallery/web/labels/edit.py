"""Making and changing label sets."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from gallery.errors import Refusal
from gallery.labels import sets
from gallery.labels.definition import MAX_CATEGORIES, Definition, checked, newest
from gallery.labels.templates import DEFAULT_TEMPLATES
from gallery.models import LabelSet
from gallery.web import toasts
from gallery.web.access import member, signed_in
from gallery.web.labels import loading
from gallery.web.labels.edit_form import SetForm


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def create(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return _show(request, SetForm(), None)
    form = SetForm.typed(request.POST)
    if act := request.POST.get("act"):
        return _show(request, form.rearranged(act), None)
    try:
        made = sets.create(member(request), form.name, _definition(form), site=form.site)
    except Refusal as refusal:
        return _show(request, form.refused(refusal), None, refusal.status)
    toasts.say(request, _("“%(name)s” is made. Apply it to label the pictures.") % {"name": made})
    return redirect("label_set", pk=made.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def edit(request: HttpRequest, pk: UUID) -> HttpResponse:
    found = loading.changeable(request, pk)
    if request.method != "POST":
        form = SetForm.of(found.name, Definition.of(newest(found)))
        return _show(request, form, found)
    form = SetForm.typed(request.POST)
    if act := request.POST.get("act"):
        return _show(request, form.rearranged(act), found)
    try:
        sets.update(found, member(request), name=form.name, **_fields(form))
    except Refusal as refusal:
        return _show(request, form.refused(refusal), found, refusal.status)
    if sets.with_version(LabelSet.objects.filter(pk=pk)).get().version_id == found.version_id:
        toasts.say(request, _("Saved."))
    else:
        toasts.say(request, _("Saved. The labels follow when you apply the set."))
    return redirect("label_set", pk=pk)


def _definition(form: SetForm) -> Definition:
    return checked(**_fields(form))


def _fields(form: SetForm) -> dict[str, Any]:
    """Raises Refusal."""
    if form.kind == "own" and not form.chosen_templates:
        raise Refusal(
            "template_missing", _("Write at least one sentence, or choose others."), "templates"
        )
    try:
        return form.fields()
    except ValueError as error:
        raise Refusal(
            "unknown_category", _("This form is out of date. Reload the page."), "categories"
        ) from error


def _show(
    request: HttpRequest, form: SetForm, label_set: LabelSet | None, status: int = 200
) -> HttpResponse:
    context: dict[str, Any] = {
        "form": form.with_spare(),
        "usual": DEFAULT_TEMPLATES["latin"],
        "most": MAX_CATEGORIES,
        "may_make_for_site": label_set is None and member(request).is_administrator,
        "arranging": {
            "moved": _("{name} is number {place} of {count}."),
            "removed": _("{name} removed."),
            "category": _("Category {number}"),
        },
    }
    if label_set is None:
        return render(request, "labels/new.html", context, status=status)
    context |= loading.head(request, label_set, "edit")
    return render(request, "labels/edit.html", context, status=status)

"""The page of the viewer's tags: list, rename, delete."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from gallery.errors import Refusal
from gallery.models import Tag
from gallery.organising import tags
from gallery.web import toasts
from gallery.web.access import member, signed_in


@require_safe
@signed_in
def overview(request: HttpRequest) -> HttpResponse:
    return _page(request)


@require_safe
@signed_in
def pick(request: HttpRequest) -> HttpResponse:
    """Render the viewer's tags for the dialog that picks some."""
    return render(request, "gallery/tag_picks.html", {"tags": tags.tags_of(member(request))})


@require_POST
@signed_in
def rename(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Rename a tag. If another tag has the name already, the two are merged."""
    tag = _own(request, pk)
    before = tag.name
    try:
        kept = tags.rename(tag, request.POST.get("name", ""))
    except Refusal as refusal:
        return _page(request, problem=refusal)
    names = {"before": before, "now": kept.name}
    if kept.pk == tag.pk:
        toasts.say(request, _("“%(before)s” is “%(now)s” now.") % names)
    else:
        toasts.say(request, _("“%(before)s” and “%(now)s” are one tag now.") % names)
    return redirect("tags")


@require_POST
@signed_in
def delete(request: HttpRequest, pk: UUID) -> HttpResponse:
    tag = _own(request, pk)
    change = tags.delete(tag, member(request))
    undo = reverse("change_undo", args=[change.pk])
    toasts.offer_undo(request, _("Tag “%(name)s” deleted.") % {"name": tag.name}, undo)
    return redirect("tags")


def _own(request: HttpRequest, pk: UUID) -> Tag:
    return get_object_or_404(Tag.objects.filter(owner_id=request.user.pk), pk=pk)


def _page(request: HttpRequest, problem: Refusal | None = None) -> HttpResponse:
    context = {"tags": tags.tags_of(member(request)), "problem": problem}
    return render(request, "gallery/tags.html", context, status=problem.status if problem else 200)

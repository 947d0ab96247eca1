"""The pages of a user's near-duplicates: view, merge, dismiss."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from gallery.errors import Refusal
from gallery.models import Change, Image, User
from gallery.organising import changes, duplicates, merging
from gallery.web import toasts
from gallery.web.access import is_fragment, member, signed_in
from gallery.web.duplicates.duplicate_cards import card_of, cards_of

PAGE = 10


@require_safe
@vary_on_headers("HX-Request")
@signed_in
def overview(request: HttpRequest) -> HttpResponse:
    """All groups, page by page. `?of=` shows the group of one picture."""
    user = member(request)
    if wanted := request.GET.get("of"):
        return _around(request, user, wanted)
    groups, after = duplicates.page(user, request.GET.get("after"), PAGE)
    more = f"{reverse('duplicates')}?{urlencode({'after': after})}" if after else None
    part = {"cards": cards_of(groups, user), "more": more}
    if is_fragment(request):
        return render(request, "duplicates/cards.html", part)
    certain = duplicates.certain(user) if groups else []
    context = {
        **part,
        "total": duplicates.count(user),
        "certain": len(certain),
        "certain_others": sum(len(group.others) for group in certain),
        "progress": duplicates.progress(user),
    }
    return render(request, "duplicates/overview.html", context)


def _around(request: HttpRequest, user: User, wanted: str) -> HttpResponse:
    try:
        pk = UUID(wanted)
    except ValueError as error:
        raise Http404 from error
    image = get_object_or_404(Image.objects.owned_by(user), pk=pk)
    group = duplicates.around(image, user)
    context = {
        "cards": cards_of([group] if group else [], user),
        "total": 1 if group else 0,
        "of": image,
        "progress": duplicates.progress(user),
    }
    return render(request, "duplicates/overview.html", context)


@require_safe
@signed_in
def progress(request: HttpRequest) -> HttpResponse:
    """The progress, which the page polls while pictures are being compared. `?seen=` is the number
    of groups that the page shows."""
    user = member(request)
    seen = request.GET.get("seen", "")
    found = duplicates.count(user)
    context = {
        "progress": duplicates.progress(user),
        "total": int(seen) if seen.isascii() and seen.isdigit() else found,
        "found": found,
    }
    return render(request, "duplicates/progress.html", context)


@require_POST
@signed_in
def merge(request: HttpRequest) -> HttpResponse:
    user = member(request)
    ids, keep = _ids(request), _id(request.POST.get("keep", ""))
    try:
        merged = merging.merge(user, keep, [pk for pk in ids if pk != keep])
    except Image.DoesNotExist as error:
        raise Http404 from error
    except Refusal as refusal:
        return _not_done(request, ids, refusal)
    text = ngettext(
        "One picture kept, %(n)d is in the trash.",
        "One picture kept, %(n)d are in the trash.",
        merged.trashed,
    )
    return _done(request, ids, text % {"n": merged.trashed}, merged.undo)


@require_POST
@signed_in
def dismiss(request: HttpRequest) -> HttpResponse:
    """Mark the pictures of a group as different from each other. With `of`, only this picture is
    different from the others, which stay together."""
    user = member(request)
    ids = _ids(request)
    of = _id(request.POST["of"]) if request.POST.get("of") else None
    try:
        _pairs, change = duplicates.dismiss(user, ids, of)
    except Image.DoesNotExist as error:
        raise Http404 from error
    except Refusal as refusal:
        return _not_done(request, ids, refusal)
    if of is None:
        return _done(request, ids, _("Noted: these are different pictures."), change)
    return _done(request, ids, _("Noted: this is a different picture."), change, rest=of)


@require_POST
@signed_in
def merge_certain(request: HttpRequest) -> HttpResponse:
    merged = duplicates.merge_certain(member(request))
    text = ngettext(
        "Merged: %(n)d copy is in the trash.",
        "Merged: %(n)d copies are in the trash.",
        merged.trashed,
    )
    said = text % {"n": merged.trashed}
    if merged.undo:
        toasts.offer_undo(request, said, reverse("change_undo", args=[merged.undo.pk]))
    else:
        toasts.say(request, _("Nothing had to be changed."))
    return redirect("duplicates")


@require_POST
@signed_in
def undo(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Undo the change of one group, and show the group again in its place."""
    user = member(request)
    ids = _ids(request)
    try:
        changes.undo(pk, user)
    except Change.DoesNotExist as error:
        raise Http404 from error
    except Refusal as refusal:
        return _not_done(request, ids, refusal)
    if not is_fragment(request):
        return redirect("duplicates")
    return _group(request, user, ids)


def _group(request: HttpRequest, user: User, ids: list[UUID]) -> HttpResponse:
    """Show the group of the first of these pictures that is in a group."""
    for image in Image.objects.owned_by(user).filter(pk__in=ids).order_by("pk"):
        if group := duplicates.around(image, user):
            return render(request, "duplicates/group.html", {"card": card_of(group, user)})
    return render(request, "duplicates/settled.html", {"text": _("Undone."), "ids": ids})


def _done(
    request: HttpRequest,
    ids: list[UUID],
    text: str,
    change: Change | None,
    rest: UUID | None = None,
) -> HttpResponse:
    """Replace the group with a line that offers to undo. With `rest`, show the group without this
    picture below the line."""
    if not is_fragment(request):
        if change:
            toasts.offer_undo(request, text, reverse("change_undo", args=[change.pk]))
        return redirect("duplicates")
    context: dict[str, Any] = {"text": text, "ids": ids, "change": change}
    if rest:
        user = member(request)
        others = Image.objects.owned_by(user).filter(pk__in=ids).exclude(pk=rest).order_by("pk")
        groups = (duplicates.around(image, user) for image in others)
        remaining = next((group for group in groups if group), None)
        context["card"] = card_of(remaining, user) if remaining else None
    return render(request, "duplicates/settled.html", context)


def _not_done(request: HttpRequest, ids: list[UUID], refusal: Refusal) -> HttpResponse:
    if not is_fragment(request):
        toasts.say(request, str(refusal.message))
        return redirect("duplicates")
    context = {"problem": refusal.message, "ids": ids}
    return render(request, "duplicates/settled.html", context, status=refusal.status)


def _ids(request: HttpRequest) -> list[UUID]:
    return [_id(text) for text in request.POST.getlist("ids")]


def _id(text: str) -> UUID:
    """Parse an id. Invalid text is treated as a missing picture. Raises Http404."""
    try:
        return UUID(text)
    except ValueError as error:
        raise Http404 from error

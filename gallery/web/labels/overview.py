"""The list of label sets, with the box that sorts the library at once, ready sets and imports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from gallery import keyset
from gallery.errors import Refusal, Unavailable
from gallery.indexing.selectors import visible_to
from gallery.labels import files, reading, ready, sets
from gallery.models import Category, LabelSet
from gallery.rate_limits import TooMany
from gallery.web import toasts
from gallery.web.access import member, signed_in
from gallery.web.labels import sorted_now
from gallery.web.labels.loading import name_of
from gallery.web.labels.state import SetState, states_of
from gallery.web.lists.ago import ago

PAGE = 100
# Categories of a ready set that the page names.
_NAMED = 6


@dataclass(frozen=True)
class Card:
    """A set in the list. `pictures` of those that the viewer sees have one of its categories. The
    numbers of its jobs are for those who may change it: they count the pictures of everybody."""

    label_set: LabelSet
    categories: int
    pictures: int
    state: SetState
    shows_numbers: bool


@require_safe
@signed_in
def overview(request: HttpRequest) -> HttpResponse:
    asked = sorted_now.asked(request.GET)
    context = _context(request, asked)
    if asked.names:
        try:
            context |= sorted_now.sorted_context(request, asked)
        except TooMany:
            raise
        except (Refusal, Unavailable) as cause:
            context["problem"] = cause.message
    return render(request, "labels/overview.html", context)


def _context(request: HttpRequest, asked: sorted_now.Asked) -> dict[str, Any]:
    visible = sets.with_version(LabelSet.objects.visible_to(request.user))
    found, after = keyset.page(visible, request.GET.get("after"), PAGE, order=keyset.BY_NAME)
    cards = _cards(request, found)
    deleted = sets.deleted_of(member(request))
    return {
        "asked": asked,
        "own": [card for card in cards if not card.label_set.is_of_site],
        "of_site": [card for card in cards if card.label_set.is_of_site],
        "more": after,
        "ready": [_offer(one) for one in ready.ready_sets()],
        "deleted": [(one, ago(one.deleted_at)) for one in deleted if one.deleted_at],
        "days": sets.KEEP.days,
    }


def _offer(one: ready.Ready) -> dict[str, Any]:
    categories = one.definition.categories
    names = ", ".join(map(name_of, categories[:_NAMED]))
    return {"key": one.key, "name": one.name, "names": names, "count": len(categories)}


def _cards(request: HttpRequest, found: list[LabelSet]) -> list[Card]:
    states = states_of(found)
    counts = reading.labelled(visible_to(request.user), found) if found else {}
    known = Category.objects.filter(label_set__in=found, retired_at=None).order_by()
    sizes: dict[UUID, int] = {}
    for pk in known.values_list("label_set_id", flat=True):
        sizes[pk] = sizes.get(pk, 0) + 1
    own = set(LabelSet.objects.changeable_by(request.user).values_list("pk", flat=True))
    return [
        Card(one, sizes.get(one.pk, 0), counts.get(one.pk, 0), states[one.pk], one.pk in own)
        for one in found
    ]


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def sort(request: HttpRequest) -> HttpResponse:
    """The rows of the box alone, for its script. It sends a POST: hundreds of names are longer
    than an address may be."""
    asked = sorted_now.asked(request.POST if request.method == "POST" else request.GET)
    context = sorted_now.sorted_context(request, asked) if asked.names else {"asked": asked}
    return render(request, "labels/sorted.html", context)


@require_POST
@signed_in
def keep(request: HttpRequest) -> HttpResponse:
    """Make a set of what the box has sorted."""
    asked = sorted_now.asked(request.POST)
    name = request.POST.get("name", "").strip() or asked.name
    try:
        definition = asked.definition()
        made = sets.create(member(request), name, definition, renamed=True)
    except Refusal as refusal:
        context = {**_context(request, asked), "problem": refusal.message}
        return render(request, "labels/overview.html", context, status=refusal.status)
    toasts.say(request, _("Kept as “%(name)s”. Apply it to label the pictures.") % {"name": made})
    return redirect("label_set", pk=made.pk)


@require_POST
@signed_in
def take_ready(request: HttpRequest) -> HttpResponse:
    """Make a set of the viewer's own from one that comes with Clipsite."""
    chosen = ready.ready_set(request.POST.get("key", ""))
    made = sets.create(member(request), chosen.name, chosen.definition, renamed=True)
    toasts.say(request, _("“%(name)s” is yours now. Change it as you like.") % {"name": made.name})
    return redirect("label_set", pk=made.pk)


@require_POST
@signed_in
def read_file(request: HttpRequest) -> HttpResponse:
    """Make a set from a file."""
    try:
        read = _read(request.FILES.get("file"))
        name = request.POST.get("name", "").strip() or read.name or _stem(request)
        made = sets.create(member(request), name, read.definition, renamed=True)
    except Refusal as refusal:
        context = {
            **_context(request, sorted_now.asked(request.GET)),
            "file_problem": refusal.message,
            "file_name": request.POST.get("name", ""),
        }
        return render(request, "labels/overview.html", context, status=refusal.status)
    toasts.say(request, _("“%(name)s” was read from the file.") % {"name": made.name})
    return redirect("label_set", pk=made.pk)


def _read(file: UploadedFile | None) -> files.Read:
    if file is None:
        raise Refusal("no_file", _("Choose a file first."), "file")
    if (file.size or 0) > files.MAX_BYTES:
        files.refuse_size()
    return files.read(file.read())


def _stem(request: HttpRequest) -> str:
    """The name of the file without its ending: a CSV file says no name of the set."""
    file = request.FILES.get("file")
    return (file.name or "").rpartition(".")[0] if file else ""

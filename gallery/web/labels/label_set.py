"""The page of a label set: its categories, what applying it would change, applying and undoing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers
from django_htmx.http import HttpResponseClientRefresh

from gallery.errors import Refusal, Sentence, Unavailable
from gallery.indexing import selectors
from gallery.indexing.selectors import visible_to
from gallery.indexing.spaces import require_active_space
from gallery.labels import applying, fitting, previewing, reading, sets
from gallery.labels.previewing import CategoryChange
from gallery.labels.reading import Summary
from gallery.library import thumbnails
from gallery.models import Category, Change, Image, LabelJob, LabelSet, User
from gallery.organising import changes
from gallery.rate_limits import TooMany
from gallery.web import toasts
from gallery.web.access import is_fragment, member, signed_in
from gallery.web.labels import loading
from gallery.web.labels.loading import name_of
from gallery.web.labels.state import state_of
from gallery.web.pictures.tiles import Tile, tiles_of

# The most pictures in the mosaic of a cover.
MOSAIC = 4
# A set with so many categories can be searched, and shows the first ones.
LONG = 50
ORDERS: dict[str, Sentence] = {
    "set": gettext_lazy("Order of the set"),
    "count": gettext_lazy("Most pictures"),
}
# Changes whose pictures a preview shows. Further ones have their numbers alone.
_WITH_PICTURES = 40


@dataclass(frozen=True)
class Card:
    """A category with its number of pictures and its surest ones. `above` are the names of the
    categories above it, but for that of its group."""

    category: Category
    name: str
    count: int
    covers: list[str]
    above: str = ""


@dataclass
class Group:
    """The cards below one category, which is the `title`; those without any above have none."""

    title: Card | None
    cards: list[Card] = field(default_factory=list)


@dataclass(frozen=True)
class Changed:
    """What applying changes for one category."""

    name: str
    added: int
    removed: int
    add: list[Tile]
    remove: list[Tile]


@require_safe
@signed_in
def label_set(request: HttpRequest, pk: UUID) -> HttpResponse:
    return _page(request, loading.seen(request, pk))


def _page(request: HttpRequest, found: LabelSet, status: int = 200, **context: Any) -> HttpResponse:
    shown = {
        **loading.head(request, found, "pictures"),
        "state": state_of(found),
        **_categories(request, found),
        **context,
    }
    return render(request, "labels/label_set.html", shown, status=status)


def _categories(request: HttpRequest, label_set: LabelSet) -> dict[str, Any]:
    """The cards of a set. Of a long one, those whose name is asked for, as many as are looked at
    at once."""
    every = list(sets.categories_of(label_set))
    summaries = reading.summaries(visible_to(request.user), every, MOSAIC)
    is_long = len(every) >= LONG
    named = request.GET.get("named", "").strip() if is_long else ""
    order = request.GET.get("by", "") if is_long else "set"
    order = order if order in ORDERS else "set"
    found = every
    if named:
        like = reading.named_like(sets.categories_of(label_set), named)
        wanted = set(like.values_list("pk", flat=True))
        found = [category for category in every if category.pk in wanted]
    if order == "count":
        nothing = Summary(0, [])
        found = sorted(found, key=lambda one: -summaries.get(one.pk, nothing).count)
    shown = found[:LONG] if is_long and "all" not in request.GET else found
    return {
        "groups": groups_of(every, summaries, shown),
        "is_long": is_long,
        "all": len(every),
        "found": len(found),
        "left_out": len(found) - len(shown),
        "named": named,
        "order": order,
        "orders": [(key, label, key == order) for key, label in ORDERS.items()],
    }


def groups_of(
    every: Sequence[Category], summaries: dict[UUID, Summary], shown: Sequence[Category]
) -> list[Group]:
    """Return the cards of those that are `shown`: first those with nothing above or below them,
    then the others by the topmost category."""
    by_id = {category.pk: category for category in every}
    covers = thumbnails.addresses_by_id(
        (pk for one in shown if one.pk in summaries for pk in summaries[one.pk].covers), 320
    )
    has_below = {category.parent_id for category in every}
    plain = Group(None)
    groups: dict[UUID, Group] = {}
    for category in shown:
        above = _above(category, by_id)
        if not above and category.pk not in has_below:
            plain.cards.append(_card(category, summaries, covers))
            continue
        top = above[-1] if above else category
        if top.pk not in groups:
            groups[top.pk] = Group(_card(top, summaries, covers))
        if above:
            path = " › ".join(name_of(one) for one in reversed(above[:-1]))
            groups[top.pk].cards.append(_card(category, summaries, covers, path))
    return [*([plain] if plain.cards else []), *groups.values()]


def _above(category: Category, by_id: dict[UUID, Category]) -> list[Category]:
    found = []
    parent = category.parent_id
    while parent is not None and parent in by_id:
        found.append(by_id[parent])
        parent = by_id[parent].parent_id
    return found


def _card(
    category: Category,
    summaries: dict[UUID, Summary],
    covers: dict[UUID, str],
    above: str = "",
) -> Card:
    summary = summaries.get(category.pk, Summary(0, []))
    own = [covers[pk] for pk in summary.covers if pk in covers]
    return Card(category, name_of(category), summary.count, own, above)


@require_safe
@signed_in
def state(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The progress of a job. The page refreshes when it has ended: `?seen=` is what it shows."""
    found = loading.seen(request, pk)
    now = state_of(found)
    is_over = now.running is None or str(now.running.pk) != request.GET.get("seen")
    if is_over and is_fragment(request):
        return HttpResponseClientRefresh()
    context = {**loading.head(request, found, "pictures"), "state": now}
    return render(request, "labels/state.html", context)


# --- Preview ----------------------------------------------------------------------


@require_POST
@vary_on_headers("HX-Request")
@signed_in
def preview(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show what applying would change. Nothing changes yet."""
    found = loading.changeable(request, pk)
    space = require_active_space()
    fit = fitting.require(found, space)
    images = visible_to(request.user)
    changed = previewing.preview(fit, fitting.weights_of(fit), space, images)
    context: dict[str, Any] = {
        "label_set": found,
        "preview": changed,
        "changed": _changed(request, changed.categories),
        "staying": changed.kept + changed.by_people,
    }
    if is_fragment(request):
        return render(request, "labels/preview.html", context)
    return _page(request, found, **context)


def _changed(request: HttpRequest, found: list[CategoryChange]) -> list[Changed]:
    rows = [change for change in found if change.added or change.removed]
    shown = [pk for change in rows[:_WITH_PICTURES] for pk in (*change.add, *change.remove)]
    pictures = selectors.visible_by_id(shown, request.user)

    def tiles(ids: list[UUID]) -> list[Tile]:
        known: list[Image] = [pictures[pk] for pk in ids if pk in pictures]
        return tiles_of(known, request.user)

    return [
        Changed(
            name_of(change.category),
            change.added,
            change.removed,
            tiles(change.add),
            tiles(change.remove),
        )
        for change in rows
    ]


# --- Apply and undo ---------------------------------------------------------------


@require_POST
@signed_in
def apply(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Let a worker label the pictures."""
    found = loading.changeable(request, pk)
    try:
        fit = fitting.require(found, require_active_space())
        _job, change = applying.request(found, member(request), fit)
    except TooMany:
        raise
    except (Refusal, Unavailable) as cause:
        return _page(request, found, cause.status, problem=cause.message)
    text = _("The pictures are being labelled.")
    if change is None:
        toasts.say(request, text)
    else:
        toasts.offer_undo(request, text, reverse("change_undo", args=[change.pk]))
    return redirect("label_set", pk=pk)


@require_POST
@signed_in
def undo(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Take back the last job, whoever asked for it."""
    found = loading.changeable(request, pk)
    if found.applied is None:
        toasts.say(request, _("Nothing had to be changed."))
        return redirect("label_set", pk=pk)
    _undo(found.applied, member(request))
    # A worker undoes many labels, which the page then shows.
    if not applying.jobs_of(found).filter(state__in=applying.OPEN).exists():
        toasts.say(request, _("Undone: the pictures have their former labels."))
    return redirect("label_set", pk=pk)


def _undo(job: LabelJob, user: User) -> None:
    """Undo a job by the user's own act, so that this is not undone twice; or else, as another
    administrator, the job itself."""
    own = Change.objects.filter(user=user, action="apply_labels", undone_at=None)
    change = own.filter(before__job=str(job.pk)).first()
    if change is not None:
        changes.undo(change.pk, user)
    else:
        applying.undo({"job": str(job.pk)}, user)


@require_POST
@signed_in
def delete(request: HttpRequest, pk: UUID) -> HttpResponse:
    found = loading.changeable(request, pk)
    change = sets.delete(found, member(request))
    text = _("“%(name)s” was deleted. For %(days)s days “Deleted sets” brings it back.") % {
        "name": found.name,
        "days": sets.KEEP.days,
    }
    toasts.offer_undo(request, text, reverse("change_undo", args=[change.pk]))
    return redirect("label_sets")


@require_POST
@signed_in
def restore(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Bring a deleted set back, whoever deleted it."""
    user = member(request)
    found = get_object_or_404(sets.deleted_of(user), pk=pk)
    own = Change.objects.filter(user=user, action="delete_label_set", undone_at=None)
    change = own.filter(before__id=str(pk)).first()
    if change is not None:
        changes.undo(change.pk, user)
    else:
        sets.restore({"id": str(pk)}, user)
    found.refresh_from_db()
    toasts.say(request, _("“%(name)s” is back, with its labels and answers.") % {"name": found})
    return redirect("label_set", pk=pk)

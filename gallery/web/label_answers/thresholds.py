"""Thresholds by wish: what one would do, and saving it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from gallery.indexing import selectors
from gallery.indexing.spaces import require_active_space
from gallery.labels import cuts, fitting, sets, wishes
from gallery.labels.cuts import Spread
from gallery.labels.learning.thresholds import RATE
from gallery.labels.quality import RIGHT, CategoryQuality
from gallery.labels.wishes import Wish
from gallery.models import Category, EmbeddingSpace, LabelSet, User
from gallery.web import toasts
from gallery.web.access import is_fragment, member, signed_in
from gallery.web.label_answers import own_sets, plots, words
from gallery.web.labels import loading
from gallery.web.labels.loading import name_of
from gallery.web.pictures.tiles import tiles_of

# Pictures on each side of a threshold.
SHOWN = 6
# Categories that a message names.
_NAMED = 10


@require_safe
@signed_in
def cut(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What a wish would do: how many pictures, how many of them right, and the pictures on both
    sides of the threshold."""
    user = member(request)
    label_set = loading.changeable(request, pk)
    category = own_sets.named(request, label_set) or sets.categories_of(label_set)[0]
    if not is_fragment(request):
        return redirect(_page(label_set, category))
    space = require_active_space()
    spread = cuts.spread(label_set, category, user, space)
    wish = _wish(request.GET)
    context = {"cut": _cut(spread, _resolved(wish, label_set, spread), user)}
    return render(request, "label_answers/cut.html", context)


@require_POST
@signed_in
def save(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Set the threshold of one category or, with `all`, of all of them."""
    user = member(request)
    label_set = loading.changeable(request, pk)
    chosen = sets.category(label_set, request.POST.get("category", ""))
    every = "all" in request.POST
    categories = list(sets.categories_of(label_set)) if every else [chosen]
    met = wishes.fulfil(label_set, categories, _wish(request.POST), user, require_active_space())
    text = _said(met, len(categories))
    if met.change is None:
        toasts.say(request, text)
    else:
        toasts.offer_undo(request, text, reverse("change_undo", args=[met.change.pk]))
    return redirect(_page(label_set, chosen))


def panel(
    label_set: LabelSet, own: CategoryQuality, user: User, space: EmbeddingSpace
) -> dict[str, Any]:
    """Return what the form shows: the histogram, the threshold now, the buckets."""
    spread = cuts.spread(label_set, own.category, user, space)
    wish = Wish.of(own.category)
    return {
        "category": own.category,
        "name": name_of(own.category),
        "bars": plots.histogram(spread.histogram()),
        "at": round(min(own.threshold, 1.0) * 100, 1),
        "kind": wish.kind,
        "is_unmet": wish.kind == "right" and own.threshold >= cuts.NONE,
        "is_exact": spread.is_exact,
        "looked_at": len(spread.images),
        "cut": _cut(spread, own.threshold, user),
        "right": round((wish.share if wish.kind == "right" else RIGHT) * 100),
        "nearly": words.percent(wishes.NEARLY),
        "buckets": _buckets(own, spread),
    }


def kept_wish(category: Category) -> str:
    """Return in words what the threshold of a category follows; empty if it follows no wish."""
    if category.wish == Category.Wish.RIGHT:
        share = words.percent(category.wish_share or 0.0)
        return _("at least {share} right").format(share=share)
    return _("nearly all") if category.wish else ""


def _wish(fields: Any) -> Wish:
    """Read a wish. Shares are in percent. Raises Refusal (bad_wish)."""
    kind = fields.get("wish", "eye")
    return Wish.checked(kind, _share(fields.get("at" if kind == "eye" else "share", "")))


def _share(text: str) -> float | None:
    try:
        share = float(text.replace(",", ".")) / 100
    except ValueError:
        return None
    return share if 0 <= share <= 1 else None


def _resolved(wish: Wish, label_set: LabelSet, spread: Spread) -> float:
    least = wish.threshold(spread)
    if least is not None:
        return least
    version = label_set.version
    return fitting.USUAL_THRESHOLDS[version.mode] if version else 0.0


def _cut(spread: Spread, probability: float, user: User) -> dict[str, Any]:
    found = spread.at(probability)
    above, below = spread.around(probability, SHOWN)
    pictures = selectors.visible_by_id([*above, *below], user)
    return {
        "at": round(min(probability, 1.0) * 100, 1),
        "threshold": words.threshold(min(probability, 1.0)),
        "labelled": _labelled(spread, found.labelled),
        "expected": _expected(
            found.precision, found.recall, answered=bool(spread.is_settled.any())
        ),
        "is_none": probability >= cuts.NONE,
        "above": tiles_of([pictures[pk] for pk in above if pk in pictures], user),
        "below": tiles_of([pictures[pk] for pk in below if pk in pictures], user),
    }


def _labelled(spread: Spread, count: int) -> str:
    if spread.is_exact:
        text = ngettext(
            "{count} picture would have the label.", "{count} pictures would have the label.", count
        )
    else:
        text = ngettext(
            "About {count} picture would have the label.",
            "About {count} pictures would have the label.",
            count,
        )
    return text.format(count=number_format(count, force_grouping=True))


def _expected(precision: float | None, recall: float, *, answered: bool) -> str:
    if precision is None:
        return _("None of them is that sure.")
    if answered:
        text = _(
            "By the probabilities, {right} of them are right,"
            " and they are {found} of all there are."
        )
    else:
        text = _(
            "Nobody has answered yet. The model expects {right} of them to be right, and that they"
            " are {found} of all there are; it may be far off. Answer a dozen to measure it."
        )
    return text.format(right=words.percent(precision), found=words.percent(recall))


def _buckets(own: CategoryQuality, spread: Spread) -> list[dict[str, str]]:
    sure, no = own.buckets.sure, own.buckets.no
    nos, between, sures = spread.buckets(no, sure)
    rate, rest = words.percent(RATE), words.percent(1 - RATE)
    unproved = _("The answers do not prove that for any picture yet.")
    proved = own.buckets.precision
    return [
        {
            "name": _("Sure"),
            "count": number_format(sures),
            "range": _("from {least}").format(least=words.threshold(sure)) if sure else "–",
            "rate": _("At least {rate} of them are right; measured: {share}.").format(
                rate=rate, share=words.with_interval(proved)
            )
            if proved
            else unproved,
        },
        {
            "name": _("Unsure"),
            "count": number_format(between),
            "range": "",
            "rate": _("Nobody knows. Answers about these teach most."),
        },
        {
            "name": _("No"),
            "count": number_format(nos),
            "range": _("below {most}").format(most=words.threshold(no)) if no else "–",
            "rate": _("At most {rest} of all right pictures are among them.").format(rest=rest)
            if no
            else unproved,
        },
    ]


def _said(met: wishes.Met, count: int) -> str:
    if met.change is None:
        return _("Nothing had to be changed.")
    text = ngettext(
        "The threshold is saved. Labels change when you apply the set.",
        "The thresholds are saved. Labels change when you apply the set.",
        count,
    )
    if not met.unmet:
        return text
    names = ", ".join(f"“{name_of(category)}”" for category in met.unmet[:_NAMED])
    more = len(met.unmet) - _NAMED
    if more > 0:
        names = ngettext("{names} and {count} more", "{names} and {count} more", more).format(
            names=names, count=number_format(more)
        )
    return _(
        "{saved} No picture is sure enough for {names}: no label until there are more answers."
    ).format(saved=text, names=names)


def _page(label_set: LabelSet, category: Category) -> str:
    return f"{reverse('label_set_quality', args=[label_set.pk])}?category={category.pk}#wish"

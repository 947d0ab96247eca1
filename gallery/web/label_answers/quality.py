"""How good the labels of a set are: figures, the reliability plot, thresholds, doubts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from gallery.errors import Refusal
from gallery.indexing import selectors
from gallery.indexing.spaces import require_active_space
from gallery.labels import answers, quality, sets
from gallery.labels.answers import Given
from gallery.labels.quality import CategoryQuality, Quality
from gallery.models import Answer, Category, Image, LabelSet, User
from gallery.web.access import is_fragment, member, signed_in
from gallery.web.label_answers import own_sets, plots, thresholds, words
from gallery.web.labels import loading
from gallery.web.labels.loading import name_of
from gallery.web.pictures.tiles import srcset, thumbnail

DOUBTS = 24
# Doubted answers that somebody has confirmed are not shown again, as long as they are signed in.
_CONFIRMED, _MOST_CONFIRMED = "confirmed_answers", 500


@require_safe
@signed_in
def overview(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The page, with the threshold of the category in the query or else of the first one."""
    user = member(request)
    label_set = loading.changeable(request, pk)
    category = own_sets.named(request, label_set) or sets.categories_of(label_set)[0]
    space = require_active_space()
    found = quality.of_set(label_set, user, space)
    own = next(one for one in found.categories if one.category.pk == category.pk)
    context = {
        **loading.head(request, label_set, "quality"),
        "answers": found.answers,
        "measures": _measures(found),
        "plot": plots.reliability(found.reliability),
        "bins": [words.of_bin(one) for one in found.reliability],
        "rows": [_row(label_set, one, category) for one in found.categories],
        "choices": own_sets.choices(label_set, category),
        "wish": thresholds.panel(label_set, own, user, space),
        "doubts": _doubts(request, label_set, user),
    }
    return render(request, "label_answers/quality.html", context)


def _measures(found: Quality) -> list[dict[str, str]]:
    """The errors of the probabilities, before and after learning."""
    if found.calibration_error is None or found.brier is None:
        return []
    return [
        {
            "name": _("Expected calibration error"),
            "hint": _("How far probabilities are from what is true, on average. 0 is perfect."),
            "before": _decimals(found.before.get("calibration_error")),
            "after": _decimals(found.calibration_error),
        },
        {
            "name": _("Brier score"),
            "hint": _("The mean square of all errors. 0 is perfect, 0.25 is tossing a coin."),
            "before": _decimals(found.before.get("brier")),
            "after": _decimals(found.brier),
        },
    ]


def _decimals(figure: float | None) -> str:
    return "–" if figure is None else number_format(round(figure, 3), 3)


def _row(label_set: LabelSet, one: CategoryQuality, chosen: Category) -> dict[str, Any]:
    pk, query = label_set.pk, f"?category={one.category.pk}"
    return {
        "name": name_of(one.category),
        "is_chosen": one.category.pk == chosen.pk,
        "answers": one.answers,
        "precision": words.with_interval(one.precision) if one.precision else "",
        "recall": words.with_interval(one.recall) if one.recall else "",
        "threshold": words.threshold(one.threshold),
        "kept": thresholds.kept_wish(one.category),
        "answer": f"{reverse('label_set_answer', args=[pk])}{query}",
        "wish": f"{reverse('label_set_quality', args=[pk])}{query}#wish",
    }


# --- Doubts -------------------------------------------------------------------------------


@dataclass(frozen=True)
class DoubtCard:
    """An answer that the set doubts. `said` is the answer now; `settled` says what was done."""

    image: Image
    category: Category
    said: bool
    likely: str
    name: str
    src: str
    srcset: str
    href: str
    settled: str = ""

    @property
    def title(self) -> str:
        return name_of(self.category)


def _doubts(request: HttpRequest, label_set: LabelSet, user: User) -> list[DoubtCard]:
    confirmed = set(request.session.get(_CONFIRMED, []))
    found = [
        doubt
        for doubt in quality.doubts(label_set, user, require_active_space())
        if _key(doubt.image, doubt.category, doubt.verdict) not in confirmed
    ][:DOUBTS]
    pictures = selectors.visible_by_id([doubt.image for doubt in found], user)
    return [
        _card(pictures[doubt.image], doubt.category, doubt.verdict, user, likely=doubt.probability)
        for doubt in found
        if doubt.image in pictures
    ]


def _card(
    image: Image,
    category: Category,
    said: bool,
    user: User,
    likely: float | None = None,
    settled: str = "",
) -> DoubtCard:
    return DoubtCard(
        image=image,
        category=category,
        said=said,
        likely="" if likely is None else words.percent(likely),
        name=image.name_for(user),
        src=thumbnail(image, 320),
        srcset=srcset(image),
        href=reverse("image", args=[image.pk]),
        settled=settled,
    )


@require_POST
@signed_in
def settle(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Say yes or no to a doubted answer: the same as before confirms it, the other turns it."""
    user = member(request)
    label_set = loading.changeable(request, pk)
    image, category = _posted_picture(request, user), _posted_category(request, label_set)
    verdict = {"yes": True, "no": False}.get(request.POST.get("verdict", ""))
    if verdict is None:
        raise Refusal("bad_verdict", _("Say yes or no."), "verdict")
    former = _verdict_now(image, category)
    answers.give(label_set, user, [Given(image.pk, str(category.pk), verdict)])
    if former == verdict:
        _confirm(request, _key(image.pk, category, verdict))
    if not is_fragment(request):
        return redirect(f"{reverse('label_set_quality', args=[pk])}#doubts")
    settled = _("Confirmed: it is.") if verdict else _("Confirmed: it is not.")
    if former != verdict:
        settled = _("Turned: it is.") if verdict else _("Turned: it is not.")
    context = {
        "label_set": label_set,
        "doubt": _card(image, category, verdict, user, settled=settled),
    }
    return render(request, "label_answers/doubt.html", context)


def _posted_picture(request: HttpRequest, user: User) -> Image:
    try:
        wanted = UUID(request.POST.get("image", ""))
    except ValueError as error:
        raise Http404 from error
    found = selectors.visible_by_id([wanted], user).get(wanted)
    if found is None:
        raise Http404
    return found


def _posted_category(request: HttpRequest, label_set: LabelSet) -> Category:
    return sets.category(label_set, request.POST.get("category", ""))


def _verdict_now(image: Image, category: Category) -> bool | None:
    found = Answer.objects.filter(image=image, category=category)
    return found.values_list("verdict", flat=True).first()


def _key(image: UUID, category: Category, verdict: bool) -> str:
    return f"{image} {category.pk} {'yes' if verdict else 'no'}"


def _confirm(request: HttpRequest, key: str) -> None:
    kept = [one for one in request.session.get(_CONFIRMED, []) if one != key]
    request.session[_CONFIRMED] = [*kept, key][-_MOST_CONFIRMED:]

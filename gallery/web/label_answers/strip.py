"""The answer strip: twelve pictures of one category, and what the answers tell so far."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from gallery.indexing.spaces import require_active_space
from gallery.labels import asking, fitting, maintenance, priorities, quality, sets
from gallery.labels.quality import CategoryQuality, Quality
from gallery.models import Category, LabelSet, User
from gallery.web.access import is_fragment, member, signed_in
from gallery.web.label_answers import own_sets, words
from gallery.web.labels import loading
from gallery.web.labels.loading import name_of

# In the place of a category: the one of which answers tell most.
PAYS_MOST = "open"


@require_safe
@signed_in
def answer(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The page. Its script asks the API what to ask, and sends it the answers."""
    user = member(request)
    label_set = loading.changeable(request, pk)
    if request.GET.get("category") == PAYS_MOST:
        found = quality.of_set(label_set, user, require_active_space())
        return redirect(_address(label_set, priorities.pays_most(found.categories, found.pool)))
    category = own_sets.named(request, label_set) or asking.next_category(label_set)
    context = {
        **loading.head(request, label_set, "answer"),
        "category": category,
        "name": name_of(category),
        "choices": own_sets.choices(label_set, category),
        "pays_most": f"{reverse('label_set_answer', args=[pk])}?category={PAYS_MOST}",
        "figures": _figures(label_set, category, user),
        "config": _config(label_set, category, user),
    }
    return render(request, "label_answers/answer.html", context)


@require_safe
@vary_on_headers("HX-Request")
@signed_in
def figures(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What the answers to one category tell. `?until=` is the number of the fit that is shown:
    while there is no newer one, nothing has to be drawn anew."""
    user = member(request)
    label_set = loading.changeable(request, pk)
    category = own_sets.named(request, label_set) or sets.categories_of(label_set)[0]
    if not is_fragment(request):
        return redirect(_address(label_set, category))
    space = require_active_space()
    known = str(fitting.require(label_set, space).pk)
    if request.GET.get("until") == known and maintenance.is_learning(label_set, space):
        return HttpResponse(status=204)
    context = {"figures": _figures(label_set, category, user)}
    return render(request, "label_answers/figures.html", context)


def _figures(label_set: LabelSet, category: Category, user: User) -> dict[str, Any]:
    space = require_active_space()
    fit = fitting.require(label_set, space)
    found = quality.of_set(label_set, user, space, only=category)
    (own,) = found.categories
    here = f"{reverse('label_set_figures', args=[label_set.pk])}?category={category.pk}"
    return {
        "precision": words.precision(own.precision),
        "recall": words.recall(own.recall),
        "answers": _answers(own),
        "learned": _learned(found, category),
        "is_learning": maintenance.is_learning(label_set, space),
        "here": here,
        "later": f"{here}&until={fit.pk}",
        "threshold": f"{reverse('label_set_quality', args=[label_set.pk])}?category={category.pk}",
    }


def _answers(own: CategoryQuality) -> str:
    said = ngettext("%(count)d answer", "%(count)d answers", own.answers) % {"count": own.answers}
    return _("{answers}: {yes} yes, {no} no; {sampled} of them are of the random sample.").format(
        answers=said, yes=own.yes, no=own.answers - own.yes, sampled=own.sampled
    )


def _learned(found: Quality, category: Category) -> str:
    """How many answers the set would have guessed, before it learned and now."""
    counted = found.learned.get(str(category.pk))
    if not counted:
        return ""
    count, before, after = counted
    return _(
        "Of {count} answers, the words alone would have guessed {before}. "
        "With what it has learned from the others, it is {after}."
    ).format(count=count, before=before, after=after)


def _address(label_set: LabelSet, category: Category) -> str:
    return f"{reverse('label_set_answer', args=[label_set.pk])}?category={category.pk}"


def _config(label_set: LabelSet, category: Category, user: User) -> dict[str, Any]:
    return {
        "owner": user.pk,
        "category": str(category.pk),
        "questions": reverse("api:label-set-next", args=[label_set.pk]),
        "answers": reverse("api:label-set-answers", args=[label_set.pk]),
        "count": asking.COUNT,
        "most": asking.MOST,
        "texts": _texts(),
    }


def _texts() -> dict[str, Any]:
    return {
        "yes": _("yes"),
        "no": _("no"),
        "skipped": _("skipped"),
        "open": _("no answer yet"),
        "picture": _("Picture {number} of {count}: {name}, {answer}"),
        "untitled": _("Untitled"),
        # The probability is not told: people would answer what the machine expects.
        "sample": _("Drawn at random: its answer measures."),
        "uncertain": _("Near the line: its answer teaches."),
        "place": _("Picture {number} of {count}"),
        "saved": _("All answers are saved."),
        "saving": _("Saving…"),
        "waiting": [
            ngettext(
                "{count} answer waits: the server does not answer. It is kept on this device and "
                "sent later.",
                "{count} answers wait: the server does not answer. They are kept on this device "
                "and sent later.",
                n,
            )
            for n in (1, 2)
        ],
        "signedOut": [
            ngettext(
                "You are signed out. {count} answer is kept on this device: load the page again.",
                "You are signed out. {count} answers are kept on this device: load the page again.",
                n,
            )
            for n in (1, 2)
        ],
        "loading": _("The next pictures are on their way…"),
        "away": _("The next pictures do not come: the server does not answer. Trying again…"),
        "finished": _("There is nothing left to ask about this category."),
        "nothing": _("No picture to ask about: none is encoded yet."),
    }

"""The categories on the page of a picture: bars, a yes or no to each, and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from gallery.errors import Refusal
from gallery.indexing import selectors
from gallery.labels import answers, on_picture, reading, why
from gallery.labels.answers import Given
from gallery.labels.on_picture import Opinion
from gallery.models import Category, Image, LabelSet
from gallery.search.filters import categories
from gallery.search.query import syntax
from gallery.search.query.query import Query
from gallery.web.access import is_fragment, member, signed_in
from gallery.web.labels.loading import name_of
from gallery.web.pictures.classify import percent
from gallery.web.pictures.picture import picture_page, reachable
from gallery.web.pictures.tiles import thumbnail

# The categories of a set that are shown when it is opened.
MOST = 30


@dataclass(frozen=True)
class Row:
    """One category. `share`, from 0 to 1, is the length of the bar, `percent` its label; both are
    None where nothing is known. `find` is the address of all pictures of the category."""

    category: Category
    name: str
    find: str
    share: float | None
    percent: str
    verdict: bool | None
    may_answer: bool


@dataclass(frozen=True)
class Group:
    """The categories of a set that the picture has. `thoughts` are all that were asked for; None:
    they are loaded when the visitor opens them. `problem` explains why there are none."""

    label_set: LabelSet
    rows: list[Row]
    thoughts: list[Row] | None = None
    problem: str = ""


@require_safe
@vary_on_headers("HX-Request")
def section(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The categories of a picture, for htmx, or the page of the picture with them."""
    image = reachable(request, pk)
    if is_fragment(request):
        return _section(request, image)
    return picture_page(request, image, **_context(request, image))


@require_POST
@signed_in
def answer(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Say that a picture is of the category `yes`, that it is not of the category `no`, or take the
    answer for `back` back. `of` are the sets that the visitor has opened."""
    image = reachable(request, pk)
    category, verdict = _answered(request)
    answers.give(category.label_set, member(request), [Given(image.pk, str(category.pk), verdict)])
    if is_fragment(request):
        return _section(request, image, opened=request.POST.getlist("of"))
    return redirect("image_labels", pk=pk)


@require_safe
@vary_on_headers("HX-Request")
def of_set(request: HttpRequest, pk: UUID, label_set: UUID) -> HttpResponse:
    """All categories of one set, with what it thinks of the picture."""
    image = reachable(request, pk)
    found = LabelSet.objects.visible_to(request.user).filter(pk=label_set).first()
    if found is None:
        raise Http404
    if not is_fragment(request):
        return redirect("image_labels", pk=pk)
    maker = _Rows(request, image)
    context = {"image": image, "group": maker.opened(Group(found, []))}
    return render(request, "gallery/picture_labels_of_set.html", context)


@require_safe
@vary_on_headers("HX-Request")
def explain(request: HttpRequest, pk: UUID, category: UUID) -> HttpResponse:
    """Why the picture has a category, or not: the nearest answered pictures."""
    image = reachable(request, pk)
    found = why.category_of(category, request.user)
    if found is None:
        raise Http404
    if not is_fragment(request):
        return redirect("image_labels", pk=pk)
    reasons = why.of(image, found, request.user)
    others = Category.objects.filter(label_set=found.label_set_id, retired_at=None)
    names = {other.name: name_of(other) for other in others}
    pictures = selectors.visible_by_id([one.image for one in _near(reasons)], request.user)
    shown = {
        kind: [
            {
                "href": reverse("image", args=[one.image]),
                "src": thumbnail(pictures[one.image], 160),
                "name": pictures[one.image].name_for(request.user),
                "said": names.get(one.said, one.said),
                "similarity": number_format(round(one.similarity, 2), 2),
            }
            for one in near
            if one.image in pictures
        ]
        for kind, near in (("yes", reasons.yes), ("no", reasons.no))
    }
    mine = bool(reasons.answer and request.user.pk and reasons.answer.by_id == request.user.pk)
    context = {"why": reasons, "name": name_of(found), "mine": mine, **shown}
    return render(request, "gallery/picture_label_why.html", context)


def _near(reasons: why.Why) -> list[why.Neighbour]:
    return [*reasons.yes, *reasons.no]


def _section(request: HttpRequest, image: Image, opened: Sequence[str] = ()) -> HttpResponse:
    context = {"image": image, **_context(request, image, opened)}
    return render(request, "gallery/picture_labels.html", context)


def _context(request: HttpRequest, image: Image, opened: Sequence[str] = ()) -> dict[str, Any]:
    """Return the sets with categories of the picture, and the others."""
    maker = _Rows(request, image)
    visible = {one.pk: one for one in LabelSet.objects.visible_to(request.user)}
    groups = []
    opinions = on_picture.opinions(image, request.user)
    for pk, own in groupby(opinions, key=lambda one: one.category.label_set_id):
        if (label_set := visible.pop(pk, None)) is not None:
            groups.append(Group(label_set, maker.rows(own)))
    rest = [Group(label_set, []) for label_set in visible.values()]
    return {
        "groups": [_open(group, opened, maker) for group in groups],
        "rest": [_open(group, opened, maker) for group in rest],
        "rest_is_open": any(str(group.label_set.pk) in opened for group in rest),
    }


def _open(group: Group, opened: Sequence[str], maker: _Rows) -> Group:
    return maker.opened(group) if str(group.label_set.pk) in opened else group


class _Rows:
    """Makes the rows of a picture for a visitor."""

    def __init__(self, request: HttpRequest, image: Image) -> None:
        self.image = image
        known = list(reading.categories_for(request.user).select_related("label_set"))
        self.values = categories.values_of(known)
        answerable = answers.answerable_sets(image, request.user)
        self.answerable = set(answerable.order_by().values_list("pk", flat=True))

    def rows(self, opinions: Iterable[Opinion]) -> list[Row]:
        return [self._row(opinion) for opinion in opinions]

    def opened(self, group: Group) -> Group:
        """Return the group with what the set thinks of the picture."""
        try:
            found = self.rows(on_picture.thoughts(self.image, group.label_set, MOST))
        except Refusal as refusal:
            return Group(group.label_set, group.rows, [], str(refusal.message))
        problem = "" if found else _("This set is being prepared. Try again in a moment.")
        return Group(group.label_set, group.rows, found, problem)

    def _row(self, opinion: Opinion) -> Row:
        category, share = opinion.category, opinion.probability
        line = syntax.format(Query(filters={"category": [self.values[category.pk]]}))
        return Row(
            category=category,
            name=name_of(category),
            find=f"{reverse('search')}?{urlencode({'q': line})}",
            share=None if share is None else round(share, 4),
            percent="" if share is None else percent(share),
            verdict=opinion.verdict,
            may_answer=category.label_set_id in self.answerable,
        )


def _answered(request: HttpRequest) -> tuple[Category, bool | None]:
    """Return the category that the form names, and the verdict. Raises Refusal (no_answers),
    Http404."""
    verdicts: dict[str, bool | None] = {"yes": True, "no": False, "back": None}
    for name, verdict in verdicts.items():
        if text := request.POST.get(name):
            pk = categories.as_id(text)
            found = None if pk is None else why.category_of(pk, request.user)
            if found is None:
                raise Http404
            return found, verdict
    raise Refusal("no_answers", _("Give at least one answer."), "answers")

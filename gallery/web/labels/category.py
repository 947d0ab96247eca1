"""The pictures of one category: the grid, and the sheet to print."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from gallery import keyset
from gallery.errors import Sentence
from gallery.indexing import selectors
from gallery.indexing.selectors import visible_to
from gallery.labels import reading, sets
from gallery.labels.answers import MAX_ANSWERS
from gallery.models import Category, Image, LabelSet, Viewer
from gallery.search.filters.image_filter import narrow
from gallery.web.access import signed_in
from gallery.web.labels import loading
from gallery.web.labels.loading import name_of
from gallery.web.lists import listing
from gallery.web.lists.listing import Page, PictureList
from gallery.web.pictures.tiles import Tile, tiles_of

if TYPE_CHECKING:
    from gallery.models.image import ImageQuerySet

# Pictures of one sheet.
SHEET = 500

ORDERS: dict[str, Sentence] = {
    "surest": gettext_lazy("Surest first"),
    "doubtful": gettext_lazy("Least sure first"),
    "newest": gettext_lazy("Newest first"),
}


@dataclass(frozen=True)
class Marks:
    """Writes onto tiles how probable the category is."""

    categories: list[UUID]

    def __call__(self, images: list[Image], viewer: Viewer) -> list[Tile]:
        said = reading.said([image.pk for image in images], self.categories)
        return [
            _marked(tile, *said.get(tile.image.pk, (0.0, False)))
            for tile in tiles_of(images, viewer)
        ]


@dataclass(frozen=True)
class ByProbability:
    """Loads a part of the pictures of some categories by their probability."""

    categories: list[UUID]
    surest_first: bool

    def __call__(
        self, images: ImageQuerySet, viewer: Viewer, after: str | None, size: int
    ) -> tuple[list[Image], str | None]:
        """Raises Refusal (bad_cursor)."""
        order = keyset.BY_PROBABILITY
        found = reading.by_probability(
            images,
            self.categories,
            size + 1,
            order.parse(after) if after else None,
            surest_first=self.surest_first,
        )
        following = None
        if len(found) > size:
            found = found[:size]
            pk, share = found[-1]
            following = order.cursor_of(share, pk)
        return selectors.in_order([pk for pk, _share in found], viewer), following


def _page(order: str, categories: list[UUID]) -> Page:
    if order == "newest":
        return partial(selectors.page, order=keyset.UPLOADED)
    return ByProbability(categories, order == "surest")


def _marked(tile: Tile, share: float, is_human: bool) -> Tile:
    if is_human:
        return replace(tile, note=_("by hand"), note_title=_("A person said so"))
    title = _("How probable the category is, by the model")
    return replace(tile, note=percent(share), note_title=title)


def percent(share: float) -> str:
    """Return a probability as text. Only people are certain."""
    if share >= 0.995:
        return _("over 99 %")
    return _("%(number)s %%") % {"number": number_format(max(round(100 * share), 1), 0)}


@require_safe
@vary_on_headers("HX-Request")
@signed_in
def category(request: HttpRequest, pk: UUID, category: UUID) -> HttpResponse:
    label_set, found = _load(request, pk, category)
    below = reading.with_descendants([found.pk])
    order = _order(request)
    fixed = {"category": str(found.pk)}
    images = visible_to(request.user)
    shown = PictureList("category", images, fixed, _page(order, below), Marks(below))
    context = _context(request, label_set, found, order)
    return listing.show(request, "labels/category.html", shown, context)


@require_safe
@signed_in
def sheet(request: HttpRequest, pk: UUID, category: UUID) -> HttpResponse:
    """Many small pictures with their names, to look over and to print."""
    label_set, found = _load(request, pk, category)
    below = reading.with_descendants([found.pk])
    order = _order(request)
    images = narrow(visible_to(request.user), {"category": str(found.pk)}, request.user)
    page = _page(order, below)
    rows, after = page(images, request.user, request.GET.get("after"), SHEET)
    context = {
        **_context(request, label_set, found, order),
        "tiles": Marks(below)(rows, request.user),
        "total": images.count(),
        "next": listing.next_part(request, after),
    }
    return render(request, "labels/sheet.html", context)


def _load(request: HttpRequest, pk: UUID, category: UUID) -> tuple[LabelSet, Category]:
    """Raises Http404."""
    label_set = loading.seen(request, pk)
    found = sets.categories_of(label_set).select_related("parent").filter(pk=category).first()
    if found is None:
        raise Http404
    return label_set, found


def _order(request: HttpRequest) -> str:
    asked = request.GET.get("by", "surest")
    return asked if asked in ORDERS else "surest"


def _context(
    request: HttpRequest, label_set: LabelSet, found: Category, order: str
) -> dict[str, Any]:
    may_change = loading.may_change(request, label_set)
    return {
        "label_set": label_set,
        "category": found,
        "name": name_of(found),
        "may_change": may_change,
        "orders": [(key, label, key == order) for key, label in ORDERS.items()],
        "order": order,
        "answering": {
            "address": reverse("api:label-set-answers", args=[label_set.pk]),
            "category": str(found.pk),
            # Of a set of the site, everybody answers for their own pictures.
            "own": not may_change,
            "texts": {
                "yes": _("It is: {name}"),
                "no": _("It is not: {name}"),
                "said": _("by hand"),
                "most": _("Select at most %(most)d pictures to answer them at once.")
                % {"most": MAX_ANSWERS},
                "saidYes": [
                    _("Noted: this is “%(name)s”.") % {"name": name_of(found)},
                    _("Noted: {count} pictures are “%(name)s”.") % {"name": name_of(found)},
                ],
                "saidNo": [
                    _("Noted: this is not “%(name)s”.") % {"name": name_of(found)},
                    _("Noted: {count} pictures are not “%(name)s”.") % {"name": name_of(found)},
                ],
            },
        },
    }

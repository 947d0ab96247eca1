"""A list of pictures: its address filters it, it loads part by part, and it is selectable."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from gallery.errors import Refusal, Sentence
from gallery.indexing import selectors
from gallery.search.filters.image_filter import narrow, order_of
from gallery.web.access import is_fragment
from gallery.web.lists import filters
from gallery.web.pictures.tiles import tiles_of

if TYPE_CHECKING:
    from gallery.models.image import ImageQuerySet

PAGE = 60


@dataclass(frozen=True)
class Place:
    """A list. The scripts know its kind as `name` (see static/js/select/acts.js). It holds those
    of `images` that pass the filters `fixed`. A part has `size` pictures."""

    name: str
    images: ImageQuerySet
    fixed: Mapping[str, Any]
    size: int = PAGE


def show(
    request: HttpRequest, template: str, place: Place, context: Mapping[str, Any]
) -> HttpResponse:
    """Render the page of a list. With `?only=count`, render how many pictures the filters leave.
    For htmx, render the next part (`?after=`) or the fields of the filters (`?only=filters`).

    The page shows the problem of a wrong filter above the fields.
    """
    try:
        wanted = {**filters.read(request.GET), **place.fixed}
        found = narrow(place.images, wanted, request.user)
    except Refusal as refusal:
        return _problem(request, template, place, context, refusal.message)
    if request.GET.get("only") == "count":
        return render(request, "gallery/filter_count.html", {"count": found.count()})
    if filters.are_asked_for(request) and is_fragment(request):
        return filters.form(request, filters.bar(request, place.fixed))
    images, after = selectors.page(
        found, request.user, request.GET.get("after"), place.size, order_of(wanted)
    )
    part = {"tiles": tiles_of(images, request.user), "more": _more(request, after)}
    if is_fragment(request):
        return render(request, "parts/tiles.html", part)
    bar = filters.bar(request, place.fixed)
    counted = found.count() if bar.chips or place.name != "home" else None
    return render(
        request,
        template,
        {
            **context,
            **part,
            "place": place.name,
            "filters": bar,
            "selection": json.dumps({"all": True, "filters": wanted}),
            "total": counted,
        },
    )


def _problem(
    request: HttpRequest,
    template: str,
    place: Place,
    context: Mapping[str, Any],
    problem: Sentence,
) -> HttpResponse:
    if request.GET.get("only") == "count":
        return render(request, "gallery/filter_count.html", {"problem": problem})
    bar = filters.bar(request, place.fixed, is_open=True)
    said = {**context, "place": place.name, "filters": bar, "filter_problem": problem}
    return render(request, template, said, status=400)


def _more(request: HttpRequest, after: str | None) -> str | None:
    if after is None:
        return None
    query = request.GET.copy()
    query.pop("only", None)
    query["after"] = after
    return f"{request.path}?{query.urlencode()}"

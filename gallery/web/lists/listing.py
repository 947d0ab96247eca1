"""A list of pictures: its address filters it, it loads part by part, and it is selectable."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from gallery.indexing import selectors
from gallery.models import Image, Viewer
from gallery.search.filters.image_filter import order_of
from gallery.web.access import is_fragment
from gallery.web.lists.filtered import Filtered
from gallery.web.pictures.tiles import Tile, tiles_of

if TYPE_CHECKING:
    from gallery.models.image import ImageQuerySet

# Pictures of one part.
PAGE = 60
# From pictures, viewer, cursor and size to a part and the cursor of the next one.
Page = Callable[["ImageQuerySet", Viewer, str | None, int], tuple[list[Image], str | None]]


@dataclass(frozen=True)
class PictureList:
    """A list. The scripts know its kind as `name` (see static/js/select/acts.js). It holds those
    of `images` that pass the filters `fixed`. `page` loads a part of them as `selectors.page` does,
    in another order than that of the filters, and `tiles` makes their tiles."""

    name: str
    images: ImageQuerySet
    fixed: Mapping[str, Any]
    page: Page | None = None
    tiles: Callable[[list[Image], Viewer], list[Tile]] = tiles_of


def show(
    request: HttpRequest, template: str, shown: PictureList, context: Mapping[str, Any]
) -> HttpResponse:
    """Render the page of a list. For htmx, render the next part (`?after=`). The filter panel and
    wrong filters get their own answers (`Filtered.other_answer`)."""
    filtered = Filtered(request, shown.images, shown.fixed)
    frame = {**context, "place": shown.name}
    if answer := filtered.other_answer(template, frame):
        return answer
    found, wanted = filtered.pictures, filtered.wanted
    page = shown.page or partial(selectors.page, order=order_of(wanted))
    images, after = page(found, request.user, request.GET.get("after"), PAGE)
    part = {"tiles": shown.tiles(images, request.user), "more": next_part(request, after)}
    if is_fragment(request):
        return render(request, "parts/tiles.html", part)
    bar = filtered.bar()
    context = {
        **frame,
        **part,
        "filters": bar,
        "selection": json.dumps({"all": True, "filters": wanted}),
        "total": found.count() if bar.chips or shown.name != "home" else None,
    }
    return render(request, template, context)


def next_part(request: HttpRequest, after: str | None) -> str | None:
    """Return the address of the part of the list from the cursor `after` on; None after the
    last."""
    if after is None:
        return None
    query = request.GET.copy()
    query.pop("only", None)
    query["after"] = after
    return f"{request.path}?{query.urlencode()}"

"""A list of pictures: its address filters it, it loads part by part, and it is selectable."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from gallery import keyset
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


@dataclass(frozen=True)
class PictureList:
    """A list. The scripts know its kind as `name` (see static/js/select/acts.js). It holds those
    of `images` that pass the filters `fixed`. Its order is that of the filters, unless it has one
    of its own: by an annotation of `images`."""

    name: str
    images: ImageQuerySet
    fixed: Mapping[str, Any]
    order: keyset.Order | None = None
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
    images, after = selectors.page(
        found, request.user, request.GET.get("after"), PAGE, shown.order or order_of(wanted)
    )
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

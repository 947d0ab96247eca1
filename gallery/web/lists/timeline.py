"""The timeline: all months with pictures, ordered by capture time."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from gallery.errors import Refusal
from gallery.indexing import selectors
from gallery.organising.timeline import Month as MonthCount
from gallery.organising.timeline import months
from gallery.web.access import is_fragment
from gallery.web.lists import scopes
from gallery.web.lists.memories import on_this_day
from gallery.web.pictures.neighbours import beside, later
from gallery.web.pictures.picture import reachable
from gallery.web.pictures.tiles import Tile, tiles_by_day

if TYPE_CHECKING:
    from gallery.models.image import ImageQuerySet

# Pictures of one request, and those that the page itself contains.
PART = 100
FIRST = 60
TEMPLATE = "gallery/timeline.html"


@dataclass(frozen=True)
class Month:
    """A month. `name` is like 2024-05. `parts` is the address of its pictures without the number
    of the first one. `ratio` is the mean of width / height. `tiles` is the HTML of its first
    pictures."""

    name: str
    year: int
    label: str
    count: int
    ratio: float
    parts: str
    tiles: str

    @property
    def section(self) -> SafeString:
        """The HTML of the month. A long timeline has hundreds, and a template would take ten times
        as long."""
        counted = ngettext("%(count)s picture", "%(count)s pictures", self.count)
        label = escape(self.label)
        return mark_safe(  # noqa: S308 - escaped, or a number
            f'<section class="month" id="month-{self.name}" aria-labelledby="title-{self.name}"'
            f' data-name="{self.name}" data-count="{self.count}" data-year="{self.year}"'
            f' data-label="{label}" data-counted="{escape(counted % {"count": self.count})}">'
            '<div class="month-head">'
            f'<h2 id="title-{self.name}" tabindex="-1">{label}</h2>'
            '<p class="month-day" aria-hidden="true"></p></div>'
            f'<ul class="grid by-day" id="grid-{self.name}" role="list" data-grid'
            f' data-parts="{escape(self.parts)}" data-count="{self.count}"'
            f' data-part-size="{PART}" data-ratio="{self.ratio}" aria-label="{label}">'
            f"{self.tiles}</ul></section>"
        )


@require_safe
@vary_on_headers("HX-Request")
def timeline(request: HttpRequest) -> HttpResponse:
    """Render the page or, for htmx, a part of a month (`?month=2024-05&start=100`). The filter
    panel and wrong filters get their own answers (`Filtered.other_answer`)."""
    if "month" in request.GET:
        return _part(request, request.GET["month"])
    return show(request, {})


def show(request: HttpRequest, context: Mapping[str, Any]) -> HttpResponse:
    """Render the page, with the filters of the address."""
    filtered = scopes.filtered(request)
    scope = scopes.scope_of(request)
    frame = {**context, "scope": scope, "scopes": scopes.SCOPES, "place": "timeline"}
    if answer := filtered.other_answer(TEMPLATE, frame):
        return answer
    bar = filtered.bar()
    counted = months(filtered.pictures)
    found = _months(request, filtered.pictures, counted)
    context = {
        **frame,
        "filters": bar,
        "months": found,
        "total": sum(month.count for month in found),
        "selection": json.dumps({"all": True, "filters": filtered.wanted}),
        "plain_list": f"{reverse('recent')}?{request.GET.urlencode()}",
        "memories": [] if bar.chips or scope == "public" else on_this_day(request, counted),
    }
    return render(request, TEMPLATE, context)


@require_safe
def neighbours(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Return the pictures before and after one, in the timeline of the query string."""
    return JsonResponse(beside(scopes.filtered(request).pictures, reachable(request, pk)))


@require_safe
def month_of(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Return where a picture is in the timeline of the query string: its month and its number
    there."""
    image = get_object_or_404(scopes.filtered(request).pictures, pk=pk)
    month = image.taken_at.strftime("%Y-%m")
    begin, end = _span(month)
    of_month = scopes.filtered(request).pictures.filter(taken_at__gte=begin, taken_at__lt=end)
    return JsonResponse({"month": month, "index": later(of_month, image).count()})


def _part(request: HttpRequest, month: str) -> HttpResponse:
    begin, end = _span(month)
    start = _start(request.GET.get("start", "0"))
    if not is_fragment(request):
        return redirect(f"{_address(request)}#month-{month}")
    taken = scopes.filtered(request).pictures.filter(taken_at__gte=begin, taken_at__lt=end)
    ids = taken.order_by("-taken_at", "-pk").values_list("pk", flat=True)[start : start + PART]
    tiles = tiles_by_day(selectors.in_order(list(ids), request.user), request.user)
    return render(request, "parts/tiles.html", {"tiles": tiles})


def _months(
    request: HttpRequest, pictures: ImageQuerySet, counted: list[MonthCount]
) -> list[Month]:
    """Return the months, with the first pictures of the page: they are seen while the scripts load,
    and without scripts."""
    ids = pictures.order_by("-taken_at", "-pk").values_list("pk", flat=True)[:FIRST]
    images = selectors.in_order(list(ids), request.user) if counted else []
    tiles: dict[str, list[Tile]] = {}
    for tile in tiles_by_day(images, request.user):
        tiles.setdefault(tile.section[: len("2024-05")], []).append(tile)
    parts = _address(request, month="{month}", start="").split(quote_plus("{month}"))
    return [_month(parts, tiles.get(facts["month"], []), **facts) for facts in counted]


def _month(parts: list[str], tiles: list[Tile], *, month: str, count: int, ratio: float) -> Month:
    """Return a month. `parts` are the pieces of its address before and after its name."""
    first = date.fromisoformat(f"{month}-01")
    return Month(
        name=month,
        year=first.year,
        label=date_format(first, "YEAR_MONTH_FORMAT"),
        count=count,
        ratio=round(ratio, 4),
        parts=month.join(parts),
        tiles=render_to_string("parts/tiles.html", {"tiles": tiles}) if tiles else "",
    )


def _address(request: HttpRequest, **more: str) -> str:
    """Return the address of the timeline with the same scope and filters, and with `more`."""
    query = request.GET.copy()
    for name in ("month", "start", "only"):
        query.pop(name, None)
    query.update(more)
    return f"{reverse('timeline')}?{query.urlencode()}"


def _span(month: str) -> tuple[datetime, datetime]:
    """Return the beginning and the end of a month in local time of the pictures, without a time
    zone. Raises Refusal (bad_month)."""
    try:
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}", month):
            raise ValueError("not like 2024-05")
        year, number = map(int, month.split("-"))
        begin = datetime(year, number, 1)
        end = datetime(year + number // 12, number % 12 + 1, 1)
    except ValueError as error:
        raise Refusal("bad_month", _("Name a month as 2024-05."), "month") from error
    return begin, end


def _start(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise Refusal(
            "bad_start", _("This page is not known. Start again from the first one."), "start"
        )
    return int(text)

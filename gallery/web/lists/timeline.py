"""The timeline: every month that has pictures, by the time they were taken."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from gallery.errors import Refusal
from gallery.indexing.selectors import with_display_fields
from gallery.organising.timeline import months
from gallery.search.filters.image_filter import narrow
from gallery.web.access import is_fragment
from gallery.web.lists import filters, scopes
from gallery.web.pictures.neighbours import beside
from gallery.web.pictures.picture import reachable
from gallery.web.pictures.tiles import tiles_by_day

if TYPE_CHECKING:
    from gallery.models.image import ImageQuerySet

# Pictures that are asked for at a time.
PART = 100


@dataclass(frozen=True)
class Month:
    """`name` is like 2024-05; `parts` the address of its pictures, but for the number
    of the first one; `ratio` the mean of width over height."""

    name: str
    year: int
    label: str
    count: int
    ratio: float
    parts: str


@require_safe
@vary_on_headers("HX-Request")
def timeline(request: HttpRequest) -> HttpResponse:
    """The page; for htmx a part of a month (`?month=2024-05&start=100`), or the
    number of pictures that filters would leave (`?only=count`)."""
    if "month" in request.GET:
        return _part(request, request.GET["month"])
    try:
        pictures = _pictures(request)
    except Refusal as refusal:
        return _problem(request, refusal)
    if request.GET.get("only") == "count":
        return render(request, "gallery/filter_count.html", {"count": pictures.count()})
    parts = _address(request, month="{month}", start="").split(quote_plus("{month}"))
    found = [_month(parts, **facts) for facts in months(pictures)]
    context = {
        **_frame(request),
        "months": found,
        "total": sum(month.count for month in found),
        "part_size": PART,
        "selection": json.dumps({"all": True, "filters": _wanted(request)}),
    }
    return render(request, "gallery/timeline.html", context)


@require_safe
def neighbours(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The pictures before and after one, in the timeline that the query tells."""
    return JsonResponse(beside(_pictures(request), reachable(request, pk)))


def _pictures(request: HttpRequest) -> ImageQuerySet:
    """What the timeline shows: the scope, narrowed by the filters of the address."""
    pictures = scopes.pictures_of(request, scopes.scope_of(request))
    return narrow(pictures, _wanted(request), request.user)


def _wanted(request: HttpRequest) -> dict[str, Any]:
    return {**filters.read(request.GET), **scopes.filters_of(scopes.scope_of(request))}


def _frame(request: HttpRequest) -> dict[str, Any]:
    scope = scopes.scope_of(request)
    bar = filters.bar(request, scopes.filters_of(scope))
    return {"scope": scope, "scopes": scopes.SCOPES, "place": "timeline", "filters": bar}


def _problem(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    if request.GET.get("only") == "count":
        return render(request, "gallery/filter_count.html", {"problem": refusal.message})
    context = {**_frame(request), "filter_problem": refusal.message}
    return render(request, "gallery/timeline.html", context, status=refusal.status)


def _part(request: HttpRequest, month: str) -> HttpResponse:
    begin, end = _span(month)
    start = _start(request.GET.get("start", "0"))
    if not is_fragment(request):
        return redirect(f"{_address(request)}#month-{month}")
    taken = _pictures(request).filter(taken_at__gte=begin, taken_at__lt=end)
    shown = with_display_fields(taken, request.user).defer("exif").order_by("-taken_at", "-pk")
    tiles = tiles_by_day(shown[start : start + PART], request.user)
    return render(request, "parts/tiles.html", {"tiles": tiles})


def _month(parts: list[str], *, month: str, count: int, ratio: float) -> Month:
    """`parts` is what stands around the name of the month in the address of its parts."""
    first = date.fromisoformat(f"{month}-01")
    return Month(
        name=month,
        year=first.year,
        label=date_format(first, "YEAR_MONTH_FORMAT"),
        count=count,
        ratio=round(ratio, 4),
        parts=month.join(parts),
    )


def _address(request: HttpRequest, **more: str) -> str:
    """The timeline with the same scope and filters, and what is given."""
    query = request.GET.copy()
    for name in ("month", "start", "only"):
        query.pop(name, None)
    query.update(more)
    return f"{reverse('timeline')}?{query.urlencode()}"


def _span(month: str) -> tuple[datetime, datetime]:
    """When a month begins and ends, by the clocks on the spot. Raises Refusal (bad_month)."""
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

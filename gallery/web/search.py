"""Search by words, by a picture that is not kept, and by one in the gallery."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe
from django.views.decorators.vary import vary_on_headers

from gallery.errors import Refusal, Unavailable
from gallery.library.query_picture import read_query_picture
from gallery.organising.selection import MAX_HITS
from gallery.search import service
from gallery.search.results import Results
from gallery.web.access import is_fragment, posted_picture
from gallery.web.browse import examples
from gallery.web.model import is_starter
from gallery.web.picture import reachable
from gallery.web.tiles import tiles_of, tiles_of_hits

PAGE = 40
SIMILAR_PAGE = 24


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
def search(request: HttpRequest) -> HttpResponse:
    """`?q=` words; `?c=` a cursor, of a search by picture or of a further page.

    A POST with a picture redirects to its first page, so that reloading and going
    back work without sending the picture again.
    """
    if is_fragment(request):
        return _further_page(request, reverse("search"), PAGE)
    try:
        if request.method == "POST":
            return _search_by_picture(request)
        results = _first_page(request.GET, request)
    except (Refusal, Unavailable) as cause:
        return _problem(request, cause)
    return render(request, "gallery/search.html", _context(request, results))


@require_safe
@vary_on_headers("HX-Request")
def similar(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Pictures like one in the gallery: part after part for its page."""
    image = reachable(request, pk)
    if not is_fragment(request):
        return redirect("image", pk=pk)
    address = reverse("image_similar", args=[pk])
    if "c" in request.GET:
        return _further_page(request, address, SIMILAR_PAGE)
    results = service.search_similar(image, request.user, limit=SIMILAR_PAGE)
    best = (results.hits[0].score or 0.0) if results.hits else 0.0
    return _tiles(request, results, address, best, "gallery/similar.html")


def _search_by_picture(request: HttpRequest) -> HttpResponse:
    file = posted_picture(request)
    picture = read_query_picture(file, file.name or "")
    results = service.search_picture(picture, request.user, limit=PAGE)
    address = {"c": results.start, "preview": _preview(request.POST)}
    return redirect(f"{reverse('search')}?{urlencode(address)}")


def _first_page(asked: Mapping[str, str], request: HttpRequest) -> Results:
    if "c" in asked:
        return service.continue_search(asked["c"], request.user, limit=PAGE)
    return service.search_text(asked.get("q", ""), request.user, limit=PAGE)


def _further_page(request: HttpRequest, address: str, size: int) -> HttpResponse:
    results = service.continue_search(request.GET.get("c", ""), request.user, limit=size)
    return _tiles(request, results, address, _best(request.GET))


def _tiles(
    request: HttpRequest,
    results: Results,
    address: str,
    best: float,
    template: str = "parts/tiles.html",
) -> HttpResponse:
    tiles = tiles_of_hits(results.hits, request.user, best)
    more = _more(address, results, best)
    return render(request, template, {"tiles": tiles, "more": more})


def _context(request: HttpRequest, results: Results) -> dict[str, Any]:
    best = (results.hits[0].score or 0.0) if results.hits else 0.0
    by_picture = "c" in request.GET
    return {
        "query": request.GET.get("q", ""),
        "by_picture": by_picture,
        "preview": _preview(request.GET),
        "tiles": tiles_of_hits(results.hits, request.user, best),
        "more": _more(reverse("search"), results, best),
        "copies": tiles_of(results.exact_copies, request.user),
        "selection": json.dumps({"search": {"cursor": results.start, "count": MAX_HITS}}),
        "count": None if results.next else len(results.hits),
        "exact": results.exact,
        "took": round(results.took_ms["total"]),
        "starter": is_starter(results.space),
    }


def _more(address: str, results: Results, best: float) -> str | None:
    """The address of the next page. It carries the best score of the first one,
    which all bars are drawn against."""
    if results.next is None:
        return None
    return f"{address}?{urlencode({'c': results.next, 'best': round(best, 4)})}"


def _best(asked: Mapping[str, str]) -> float:
    try:
        return float(asked.get("best", ""))
    except ValueError:
        return 0.0


def _preview(asked: Mapping[str, str]) -> str:
    """The name under which the visitor's tab keeps a small copy of the picture."""
    name = asked.get("preview", "")
    return name if re.fullmatch(r"[0-9]{1,20}", name) else ""


def _problem(request: HttpRequest, cause: Refusal | Unavailable) -> HttpResponse:
    """The search page with a sentence instead of results, under the right status."""
    down = isinstance(cause, Unavailable)
    response = render(
        request,
        "gallery/search.html",
        {
            "query": request.GET.get("q", ""),
            "problem": cause.message,
            "examples": examples(),
            "again": request.get_full_path() if down and request.method == "GET" else None,
        },
        status=cause.status,
    )
    if isinstance(cause, Unavailable):
        response.headers["Retry-After"] = str(cause.retry_after)
    return response

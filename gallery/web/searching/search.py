"""The results page of a line with words, pictures and filters."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.formats import number_format
from django.views.decorators.http import require_http_methods, require_safe
from django.views.decorators.vary import vary_on_headers

from gallery.errors import Refusal, Unavailable
from gallery.library.query_picture import read_small_picture
from gallery.organising import search_history
from gallery.organising.selection import MAX_HITS
from gallery.search import service
from gallery.search.examples import examples
from gallery.search.filters.narrowed import checked as checked_filters
from gallery.search.query import query_pictures, syntax
from gallery.search.query.query import Term
from gallery.search.results import Results
from gallery.search.shown_hits import shown_hits
from gallery.web.access import is_fragment, posted_picture
from gallery.web.lists import category_filter, filters
from gallery.web.model import shows_starter_note
from gallery.web.pictures.picture import reachable
from gallery.web.pictures.tiles import WEAK, Tile, tile_of_hit, tiles_of
from gallery.web.searching import composer, composer_filters, query_line

PAGE = 40
SIMILAR_PAGE = 24


@dataclass(frozen=True)
class Course:
    """The state that a page of results passes to the next one. `best` is the best score, `weak`
    tells whether the relevance line is crossed, and `divided` whether a divider marks it.
    `unfolds`: of the page with the line, only the weak matches are wanted."""

    best: float = 0.0
    weak: bool = False
    divided: bool = True
    unfolds: bool = False

    @property
    def is_lost(self) -> bool:
        """Whether nothing at all matches well."""
        return self.weak and not self.divided

    @classmethod
    def read(cls, asked: QueryDict) -> Course:
        try:
            best = float(asked.get("best", ""))
        except ValueError:
            best = 0.0
        weak = asked.get("weak", "")
        return cls(best, weak in ("divided", "all"), weak != "all", weak == "unfold")

    def params(self) -> dict[str, Any]:
        weak = ("divided" if self.divided else "all") if self.weak else ""
        weak = "unfold" if self.unfolds else weak
        return {"best": round(self.best, 4), **({"weak": weak} if weak else {})}


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
def search(request: HttpRequest) -> HttpResponse:
    """Show the results of a line (`?q=`, see gallery.search.query.syntax) or, with a cursor
    (`?c=`), a further page.

    A POST with a picture stores it for a while and redirects to the line that names it, so that
    reloading and going back work. Filters of the panel are merged into the line by a redirect.
    """
    try:
        if request.method == "POST":
            return _take_picture(request)
        if request.GET.get("only") == "count":
            return _count(request)
        if request.GET.get("only") == "matches":
            return _count_matches(request)
        if request.GET.get("only") == "categories":
            return _categories(request)
        if filters.are_asked_for(request) and is_fragment(request):
            query = syntax.parse(request.GET.get("q", "")).query
            return filters.form(request, composer_filters.bar(request, query))
        if is_fragment(request):
            return _further_page(request, reverse("search"), PAGE)
        if "with" in request.GET:
            whole = query_line.joined(request.GET, "q")
            return redirect(f"{reverse('search')}?{urlencode({'q': whole})}")
        if composer_filters.was_sent(request.GET):
            return redirect(composer.address_of(composer_filters.taken_up(request.GET)))
        if not request.GET:
            begin = {"examples": examples(request.user)}
            return render(request, "gallery/search_start.html", begin)
        results = _first_page(request)
    except (Refusal, Unavailable) as cause:
        return _problem(request, cause)
    return render(request, "gallery/search.html", _context(request, results))


@require_safe
@vary_on_headers("HX-Request")
def similar(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Render pictures similar to one in the gallery, part by part for that picture's page."""
    image = reachable(request, pk)
    if not is_fragment(request):
        return redirect("image", pk=pk)
    address = reverse("image_similar", args=[pk])
    if "c" in request.GET:
        return _further_page(request, address, SIMILAR_PAGE)
    results = service.search_similar(image, request.user, limit=SIMILAR_PAGE)
    part = _part(request, results, _course_of(results), address)
    return render(request, "gallery/similar.html", part)


def _take_picture(request: HttpRequest) -> HttpResponse:
    """Redirect to a search by the posted picture, together with the query `q` if given."""
    file = posted_picture(request)
    kept = query_pictures.keep(
        read_small_picture(file, file.name or "", request.user),
        request.user,
    )
    query = syntax.parse(request.POST.get("q", "")).query
    return redirect(composer.address_of(replace(query, terms=(*query.terms, Term(upload=kept)))))


def _count(request: HttpRequest) -> HttpResponse:
    """Render how many pictures pass the filters of the panel."""
    try:
        query = composer_filters.taken_up(request.GET)
        narrowed = checked_filters(query.filters, request.user)
        # Words and pictures put all of these in an order: their number is not that of the results.
        context: dict[str, Any] = {"count": narrowed.images.count(), "ranks": bool(query.terms)}
    except Refusal as refusal:
        context = {"problem": refusal.message}
    return render(request, "gallery/filter_count.html", context)


def _count_matches(request: HttpRequest) -> HttpResponse:
    """Render how many good matches the results have that the cursor `of` begins."""
    cursor = request.GET.get("of", "")
    count, are_all = service.count_matches(cursor, request.user, MAX_HITS)
    return render(request, "search/matches.html", {"matches": count, "are_all": are_all})


def _categories(request: HttpRequest) -> HttpResponse:
    """Render how many of the pictures that pass the filters of the panel each category has."""
    try:
        query = composer_filters.taken_up(request.GET)
        images = checked_filters(query.filters, request.user).images
    except Refusal as refusal:
        return category_filter.refused(request, refusal.message)
    return category_filter.counted(request, images, request.GET)


def _first_page(request: HttpRequest) -> Results:
    """Return the results of the page. Without scripts, this may be a further page, by its
    cursor."""
    if "c" in request.GET:
        return service.continue_search(request.GET["c"], request.user, limit=PAGE)
    line = request.GET.get("q", "")
    results = service.search_text(line, request.user, limit=PAGE, fold=True)
    search_history.note(request.user, line)
    return results


def _further_page(request: HttpRequest, address: str, size: int) -> HttpResponse:
    cursor = request.GET.get("c", "")
    results = service.continue_search(cursor, request.user, limit=size)
    folds = cursor if address == reverse("search") else ""
    part = _part(request, results, Course.read(request.GET), address, folds)
    return render(request, "parts/tiles.html", part)


def _context(request: HttpRequest, results: Results) -> dict[str, Any]:
    fields = composer.composer_for(results.query, request.user)
    is_first = "c" not in request.GET
    begun = _course_of(results) if is_first else Course.read(request.GET)
    here = results.start if is_first else request.GET["c"]
    is_judged = is_first and results.judgement.line is not None
    matches = _matches(results) if is_judged else None
    # What is folded away is not selected with “all” either.
    most = matches if matches else MAX_HITS
    return {
        **_part(request, results, begun, reverse("search"), folds=here),
        "composer": fields,
        "line": query_line.query_line_for(results.query, request.user),
        "filters": composer_filters.bar(request, results.query),
        "nothing_fits": begun.is_lost,
        "copies": tiles_of(results.exact_copies, request.user),
        "selection": json.dumps({"search": {"cursor": results.start, "count": most}}),
        "most": MAX_HITS,
        "count": None if results.next else len(results.hits),
        "matches": matches,
        "counts_later": is_judged and matches is None,
        "start": results.start,
        "loaded": len(results.hits),
        "exact": results.exact,
        "fused": results.fused,
        "notes": results.notes,
        "took": number_format(math.ceil(results.took_ms["total"] / 100) / 10, 1),
        "starter": shows_starter_note(request, results.space),
    }


def _course_of(results: Results) -> Course:
    """Return the state of a first page. If no hit is above the line, the page shows a note at its
    head and no divider."""
    lost = bool(results.hits) and not any(map(results.is_match, results.hits))
    return Course(_best(results), weak=lost, divided=not lost)


def _matches(results: Results) -> int | None:
    """Return how many good matches a first page has before the first weak one; None if the next
    page may have more."""
    for number, hit in enumerate(results.hits):
        if not results.is_match(hit):
            return number
    return None if results.next else len(results.hits)


def _part(
    request: HttpRequest, results: Results, course: Course, address: str, folds: str = ""
) -> dict[str, Any]:
    """Return what parts/tiles.html needs for a page of results. With its cursor as `folds`, the
    page ends at the relevance line, and a button leads to the weak matches behind it."""
    tiles, after = _tiles(request, results, course)
    if course.unfolds:
        tiles = [tile for tile in tiles if tile.section == WEAK]
    elif folds and after.weak and not course.weak:
        tiles = [tile for tile in tiles if tile.section != WEAK]
        asked = {"c": folds, **replace(course, unfolds=True).params()}
        return {"tiles": tiles, "more": f"{address}?{urlencode(asked)}", "folds": True}
    return {"tiles": tiles, "more": _more(address, results, after)}


def _tiles(request: HttpRequest, results: Results, course: Course) -> tuple[list[Tile], Course]:
    """Return the tiles of a page and the state for the next one. From the first weak hit on, the
    tiles have their own section."""
    tiles: list[Tile] = []
    weak = course.weak
    for hit in shown_hits(results, request.user):
        weak = weak or not hit.is_match
        section = WEAK if weak and course.divided else ""
        tiles.append(tile_of_hit(hit, request.user, course.best, section))
    return tiles, replace(course, weak=weak, unfolds=False)


def _best(results: Results) -> float:
    return (results.hits[0].score or 0.0) if results.hits else 0.0


def _more(address: str, results: Results, course: Course) -> str | None:
    """Return the address of the next page, with the state after this one."""
    if results.next is None:
        return None
    return f"{address}?{urlencode({'c': results.next, **course.params()})}"


def _problem(request: HttpRequest, cause: Refusal | Unavailable) -> HttpResponse:
    """Render the search page with a message instead of results, and with the cause's status. The
    query stays on the page, also if a refused picture was to be added to it."""
    sent = request.POST if request.method == "POST" else request.GET
    line = sent.get("q", "")
    query = syntax.parse(line[: service.MAX_LINE_CHARACTERS]).query
    context: dict[str, Any] = {
        "line": query_line.of_text(line, query, request.user),
        "problem": cause.message,
        "examples": examples(request.user),
        "again": request.get_full_path()
        if cause.status == 503 and request.method == "GET"
        else None,
    }
    if not query.is_empty:
        context["composer"] = composer.composer_for(query, request.user)
        context["filters"] = composer_filters.bar(request, query)
    response = render(request, "gallery/search.html", context, status=cause.status)
    if cause.retry_after is not None:
        response.headers["Retry-After"] = str(cause.retry_after)
    return response

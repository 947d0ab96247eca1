"""Saved searches: list, create, edit, delete, and a preview of the results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from gallery import keyset
from gallery.errors import Refusal, Unavailable
from gallery.models import Album, SavedSearch
from gallery.organising import saved_searches, smart_albums
from gallery.rate_limits import TooMany
from gallery.search import service
from gallery.search.query import syntax
from gallery.search.shown_hits import shown_hits
from gallery.web import toasts
from gallery.web.access import is_fragment, member, signed_in
from gallery.web.pictures.tiles import thumbnail
from gallery.web.searching import query_line
from gallery.web.searching.query_chips import QueryChip, chips_of, in_words

PAGE = 30
# The number of results in a preview.
GLANCE = 6


@dataclass(frozen=True)
class Row:
    """A saved search in the list. `run` is the address of its results. `album` is the album that
    it fills, unless this is in the trash."""

    saved: SavedSearch
    chips: list[QueryChip]
    run: str

    @property
    def album(self) -> Album | None:
        album = self.saved.album
        return album if album is not None and album.deleted_at is None else None


@require_safe
@vary_on_headers("HX-Request")
@signed_in
def overview(request: HttpRequest) -> HttpResponse:
    found, after = keyset.page(
        saved_searches.saved_searches_of(request.user),
        request.GET.get("after"),
        PAGE,
        order=keyset.BY_NAME,
    )
    more = f"{reverse('searches')}?{urlencode({'after': after})}" if after else None
    context = {"rows": rows_of(request, found), "more": more, "tab": "saved"}
    template = "searches/rows.html" if is_fragment(request) else "searches/list.html"
    return render(request, template, context)


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
@signed_in
def create(request: HttpRequest) -> HttpResponse:
    """Save the query `q`, in the dialog of the results page or on its own page. If a saved search
    has the name already, the new query can replace it."""
    text = (request.POST if request.method == "POST" else request.GET).get("q", "")
    query = syntax.parse(text).query
    if request.method != "POST":
        name = saved_searches.free_name(request.user, in_words(query, request.user))
        return _form(request, {"text": text, "name": name})
    name = request.POST.get("name", "")
    try:
        if request.POST.get("replace"):
            saved = _named(request, name)
            saved_searches.update(saved, query=query)
            smart_albums.ask_for_filling(saved)
        else:
            saved = saved_searches.save(member(request), name, query)
    except Refusal as refusal:
        taken = refusal.code == "name_taken"
        return _form(request, {"text": text, "name": name, "problem": refusal, "taken": taken})
    if is_fragment(request):
        (row,) = rows_of(request, [saved])
        return render(request, "searches/saved.html", {"row": row})
    toasts.say(request, _("The search is saved as “%(name)s”.") % {"name": saved.name})
    return redirect("searches")


def _form(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    problem: Refusal | None = context.get("problem")
    template = "searches/save_form.html" if is_fragment(request) else "searches/save.html"
    return render(request, template, context, status=problem.status if problem else 200)


def _named(request: HttpRequest, name: str) -> SavedSearch:
    """Return the saved search to replace. Raises Refusal if it was deleted meanwhile."""
    saved = saved_searches.named(request.user, saved_searches.clean_name(name))
    if saved is None:
        raise Refusal("unknown_search", _("No saved search has this name any more."), "name")
    return saved


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
@signed_in
def edit(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Change the name or the query. For htmx, the form replaces the row."""
    saved = _own(request, pk)
    line = query_line.query_line_for(saved_searches.query_of(saved), request.user)
    entered = {"name": saved.name, "text": line.typed}
    problem: Refusal | None = None
    if request.method == "POST":
        entered = {key: request.POST.get(key, entered[key]) for key in entered}
        # A rename alone leaves the stored query untouched, even if its line parses differently.
        kept = request.POST.getlist("with") == [part.line for part in line.held]
        is_same = kept and entered["text"].strip() == line.typed
        query = None if is_same else syntax.parse(query_line.joined(request.POST, "text")).query
        try:
            if saved_searches.update(saved, name=entered["name"], query=query):
                smart_albums.ask_for_filling(saved)
        except Refusal as refusal:
            problem = refusal
        else:
            if not is_fragment(request):
                return redirect("searches")
            return _row(request, saved)
    template = "searches/edit_form.html" if is_fragment(request) else "searches/edit.html"
    context = {"saved": saved, "problem": problem, "line": line, **entered}
    return render(request, template, context, status=problem.status if problem else 200)


@require_safe
@signed_in
def row(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Render one row of the list again after the user cancels an edit."""
    return _row(request, _own(request, pk))


def _row(request: HttpRequest, saved: SavedSearch) -> HttpResponse:
    return render(request, "searches/rows.html", {"rows": rows_of(request, [saved])})


@require_safe
@signed_in
def glance(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Render the first current results. The row requests them when it comes into view."""
    query = saved_searches.query_of(_own(request, pk))
    context: dict[str, Any] = {}
    try:
        results = service.search(query, request.user, limit=GLANCE)
    except TooMany:
        raise
    except (Refusal, Unavailable) as cause:
        context["problem"] = cause.message
    else:
        context["pictures"] = [
            {
                "href": reverse("image", args=[hit.image.pk]),
                "src": thumbnail(hit.image, 320),
                "name": hit.name,
            }
            for hit in shown_hits(results, request.user)
        ]
    return render(request, "searches/glance.html", context)


@require_POST
@signed_in
def delete(request: HttpRequest, pk: UUID) -> HttpResponse:
    saved = _own(request, pk)
    change = saved_searches.delete(saved)
    undo = reverse("change_undo", args=[change.pk])
    text = _("Search “%(name)s” deleted.") % {"name": saved.name}
    if saved.album_id is not None:
        text += " " + _("Its album stays as it is.")
    toasts.offer_undo(request, text, undo)
    return redirect("searches")


def rows_of(request: HttpRequest, found: list[SavedSearch]) -> list[Row]:
    queries = [saved_searches.query_of(saved) for saved in found]
    chips = chips_of(queries, request.user)
    return [
        Row(saved, shown, search_address(syntax.format(query)))
        for saved, query, shown in zip(found, queries, chips, strict=True)
    ]


def search_address(text: str) -> str:
    return f"{reverse('search')}?{urlencode({'q': text})}"


def _own(request: HttpRequest, pk: UUID) -> SavedSearch:
    return get_object_or_404(saved_searches.saved_searches_of(request.user), pk=pk)

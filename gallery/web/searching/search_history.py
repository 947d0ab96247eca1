"""The viewer's search history: a page to read, erase and switch it off, and the suggestions of
the search bar."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from gallery.models import SearchRecord
from gallery.models.words import containing
from gallery.organising import saved_searches, search_history
from gallery.search.query import syntax
from gallery.web import toasts
from gallery.web.access import is_fragment, member, next_address, signed_in
from gallery.web.lists.ago import ago
from gallery.web.searching import query_line
from gallery.web.searching.query_chips import QueryChip, all_words_of, chips_of
from gallery.web.searching.saved_searches import search_address

# The most suggestions below the search bar: recent searches and saved ones.
OFFERED = 8
OFFERED_SAVED = 5


@dataclass(frozen=True)
class Row:
    record: SearchRecord
    chips: list[QueryChip]
    run: str
    ago: str

    @property
    def words(self) -> str:
        return all_words_of(self.chips)


@dataclass(frozen=True)
class Suggestion:
    """A search that `run` repeats, as typed, or in words if it has more than that. `pictures` are
    the addresses of small copies of its pictures. `name` is the name of a saved search, or ""."""

    run: str
    words: str
    pictures: list[str]
    name: str = ""


@require_safe
@signed_in
def overview(request: HttpRequest) -> HttpResponse:
    """Show the whole history on one page: it is short."""
    records = list(search_history.history_of(request.user))
    chips = chips_of([syntax.parse(record.text).query for record in records], request.user)
    rows = [
        Row(record, shown, search_address(record.text), ago(record.searched_at))
        for record, shown in zip(records, chips, strict=True)
    ]
    return render(request, "searches/history.html", {"rows": rows, "tab": "history"})


@require_POST
@signed_in
def erase(request: HttpRequest, pk: int) -> HttpResponse:
    """Erase one search. An erased one is no error."""
    search_history.erase(request.user, pk)
    if is_fragment(request):
        return HttpResponse()
    return redirect("search_history")


@require_POST
@signed_in
def erase_all(request: HttpRequest) -> HttpResponse:
    count = search_history.erase_all(request.user)
    text = ngettext("%(count)d search forgotten.", "%(count)d searches forgotten.", count)
    toasts.say(request, text % {"count": count})
    return redirect("search_history")


@require_POST
@signed_in
def switch(request: HttpRequest) -> HttpResponse:
    """Switch the history on or off. On switching off, it can be erased, too."""
    keep = request.POST.get("keep") == "yes"
    erased = not keep and bool(request.POST.get("erase"))
    search_history.switch(member(request), keep=keep, erase=erased)
    if keep:
        text = _("Your searches are remembered from now on.")
    elif erased:
        text = _("Your searches are no longer remembered, and those before are forgotten.")
    else:
        text = _("Your searches are no longer remembered.")
    toasts.say(request, text)
    return redirect(next_address(request, "search_history"))


@require_safe
@vary_on_headers("HX-Request")
def recent(request: HttpRequest) -> HttpResponse:
    """Render the suggestions that match the typed text `q`, saved searches first. Visitors have
    none."""
    typed = request.GET.get("q", "").strip()
    saved = saved_searches.saved_searches_of(request.user)
    if typed:
        saved = saved.filter(containing("name", typed))
    named = list(saved[:OFFERED_SAVED])
    queries = [saved_searches.query_of(one) for one in named]
    known = {syntax.format(query) for query in queries}
    texts = search_history.offered(request.user, typed, OFFERED + len(known))
    lately = [text for text in texts if text not in known and text != typed][:OFFERED]
    queries += [syntax.parse(text).query for text in lately]
    names = [*(one.name for one in named), *("" for _ in lately)]
    lines = query_line.lines_of(queries, request.user)
    suggestions = [
        Suggestion(
            search_address(line.whole),
            line.words if line.held else line.typed,
            [part.chip.src for part in line.held if part.chip.src],
            name,
        )
        for line, name in zip(lines, names, strict=True)
    ]
    return render(request, "searches/recent.html", {"suggestions": suggestions})

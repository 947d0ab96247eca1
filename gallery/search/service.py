"""Search by a query of texts, pictures and filters.

query -> plan (filters, vector, judgement) -> window of the best pictures -> a page of hits
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from django.utils.translation import gettext as _

from gallery import rate_limits
from gallery.encoders import client
from gallery.errors import Refusal
from gallery.indexing.spaces import require_active_space
from gallery.library.query_picture import QueryPicture
from gallery.models import EmbeddingSpace, Image, Viewer
from gallery.search import pages
from gallery.search.filters.narrowed import Narrowed
from gallery.search.filters.narrowed import checked as checked_filters
from gallery.search.plan import Plan
from gallery.search.query import syntax
from gallery.search.query.combine import Combined, combined
from gallery.search.query.notes import Note
from gallery.search.query.query import Query, Term
from gallery.search.relevance import languages
from gallery.search.results import Clock, Results

DEFAULT_LIMIT = 40
MAX_LIMIT = 500
MAX_LINE_CHARACTERS = 4000


def clean_limit(value: int | str | None) -> int:
    """A page size from the outside. Raises Refusal unless it is 1 to MAX_LIMIT."""
    if value is None or value == "":
        return DEFAULT_LIMIT
    try:
        limit = int(value)
    except ValueError:
        limit = 0
    if not 1 <= limit <= MAX_LIMIT:
        raise Refusal(
            "bad_limit",
            _("“limit” must be a whole number from 1 to %(max)d.") % {"max": MAX_LIMIT},
            "limit",
        )
    return limit


def search(
    query: Query,
    viewer: Viewer,
    limit: int = DEFAULT_LIMIT,
    *,
    fold: bool = False,
    notes: Iterable[Note] = (),
    checked: Iterable[Image] = (),
) -> Results:
    """The pictures that the viewer may see, the best for `query` first; without terms
    those that the filters leave, newest first. With `fold` near-duplicates stand behind
    the best of them. `notes` are passed on to the searcher. Of the pictures of terms,
    those that are `checked` the viewer is known to reach.

    Raises Refusal for a query that cannot be understood, naming `terms.0.image` or
    `filters.tag`, Unavailable if the encoder is down, and TooMany.
    """
    if query.is_empty:
        raise Refusal("empty_query", _("Type what the picture should show."), "terms")
    query.check()
    rate_limits.charge("search", rate_limits.LOOKUP)
    clock = Clock()
    space = require_active_space()
    # A filter that is wrong is refused before anything is encoded.
    narrowed = checked_filters(query.filters, viewer)
    told = [*notes, *_notes_for(query, space)]
    plan = Plan(narrowed, space, query, notes=told, fold=fold)
    if query.terms:
        with clock.step("encode"):
            terms = combined(query, space, viewer, checked)
        plan = plan.toward(terms)
    return _with_note_if_nothing_matches(pages.first(plan, limit, clock))


def search_text(
    text: str, viewer: Viewer, limit: int = DEFAULT_LIMIT, *, fold: bool = False
) -> Results:
    """Pictures that show what a line says (see gallery.search.query.syntax), in any language
    that the active model knows. Raises as `search` does, naming "q"."""
    if len(text) > MAX_LINE_CHARACTERS:
        raise Refusal(
            "query_too_long",
            _("A search has at most %(max)d characters.") % {"max": MAX_LINE_CHARACTERS},
            "q",
        )
    parsed = syntax.parse(text)
    try:
        return search(parsed.query, viewer, limit, fold=fold, notes=parsed.notes)
    except rate_limits.TooMany:
        raise
    except Refusal as refusal:
        # In one line nothing has a place of its own.
        refusal.field = "q"
        raise


def parse_line(text: str, viewer: Viewer) -> syntax.Parsed:
    """What a line says, which may be nothing yet. Raises Refusal, naming "q", for what a
    search by it refuses: so `search` takes the terms and filters as they are."""
    parsed = syntax.parse(text)
    try:
        parsed.query.check()
        checked_filters(parsed.query.filters, viewer)
    except Refusal as refusal:
        refusal.field = "q"
        raise
    return parsed


def search_similar(image: Image, viewer: Viewer, *, limit: int = DEFAULT_LIMIT) -> Results:
    """Pictures like a stored one, without it and its exact copies.

    The caller has checked that `viewer` may reach `image`. Raises Refusal while the
    picture has no vector yet.
    """
    return search(Query((Term(image=image.pk),)), viewer, limit, checked=[image])


def search_picture(picture: QueryPicture, viewer: Viewer, *, limit: int = DEFAULT_LIMIT) -> Results:
    """Pictures like one that is only shown to us; its exact copies are named apart.

    Raises Unavailable if the encoder is down.
    """
    clock = Clock()
    space = require_active_space()
    with clock.step("encode"):
        vector = client.encode_picture(space, picture.packed)
    bytes_of_it = [picture.sha256]
    shown = Combined(vector, "image", exclude_sha256s=bytes_of_it, copies_of=bytes_of_it)
    plan = Plan(Narrowed(viewer), space).toward(shown)
    return _with_note_if_nothing_matches(pages.first(plan, limit, clock))


def continue_search(cursor: str, viewer: Viewer, *, limit: int = DEFAULT_LIMIT) -> Results:
    """The next page of a search. Raises Expired if its window is no longer kept."""
    return pages.continued(cursor, viewer, limit)


def _notes_for(query: Query, space: EmbeddingSpace) -> Sequence[Note]:
    """What the searcher should know beforehand."""
    texts = [term.text for term in query.terms if term.is_text]
    warning = languages.warning(space, texts) if texts else None
    return [Note("language", warning)] if warning else []


def _with_note_if_nothing_matches(results: Results) -> Results:
    """The first page, with a note where even its best hit is no match."""
    line = results.judgement.line
    best = max((hit.score for hit in results.hits if hit.score is not None), default=None)
    named = any(hit.by_words for hit in results.hits)
    if line is None or best is None or best >= line or named:
        return results
    note = Note("no_good_match", _("Nothing here matches well. These come closest."))
    return replace(results, notes=[*results.notes, note])

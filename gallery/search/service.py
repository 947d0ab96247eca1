"""Search by a query of texts, pictures and filters.

query -> plan (filters, vector, judgement) -> window of the best pictures -> a page of hits
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from django.utils.translation import gettext as _

from gallery import rate_limits
from gallery.encoders import client
from gallery.errors import Refusal
from gallery.indexing.spaces import require_active_space
from gallery.library.query_picture import QueryPicture
from gallery.models import Image, Viewer
from gallery.search import pages
from gallery.search.filters.narrowed import Narrowed
from gallery.search.filters.narrowed import checked as checked_filters
from gallery.search.plan import Plan
from gallery.search.query import syntax
from gallery.search.query.combine import Combined, combined
from gallery.search.query.notes import Note
from gallery.search.query.query import Query, Term
from gallery.search.relevance import readable
from gallery.search.relevance.emoji import emoji_of, in_words
from gallery.search.relevance.readable import Problem
from gallery.search.results import Clock, Results

DEFAULT_LIMIT = 40
MAX_LIMIT = 500
MAX_LINE_CHARACTERS = 4000
# The most emoji that a note names.
_MOST_EMOJI = 5


def clean_limit(value: int | str | None) -> int:
    """Return the page size that a client asks for, DEFAULT_LIMIT without one. Raises Refusal
    (bad_limit) unless it is 1 to MAX_LIMIT."""
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
    """Return the pictures that the viewer may see, the best matches for `query` first. Without
    terms these are the pictures that pass the filters, newest first. With `fold` near-duplicates
    are grouped behind the best of them. `notes` are added to the results. The viewer is known to
    reach the pictures in `checked`.

    Raises Refusal for an invalid query, naming a field like `terms.0.image` or `filters.tag`,
    Unavailable if the encoder is down, and TooMany.
    """
    if query.is_empty:
        raise Refusal("empty_query", _("Type what the picture should show."), "terms")
    query.check()
    rate_limits.charge("search", rate_limits.LOOKUP)
    clock = Clock()
    space = require_active_space()
    # Invalid filters are refused before anything is encoded.
    narrowed = checked_filters(query.filters, viewer)
    texts = [term.text for term in query.terms if term.is_text]
    problem = readable.problem(space, texts)
    told = [*notes, *_notes_on(texts, problem)]
    plan = Plan(narrowed, space, query, notes=told, fold=fold, unreadable=problem is not None)
    if query.terms:
        with clock.step("encode"):
            terms = combined(query, space, viewer, checked)
        plan = plan.toward(terms)
    return _with_note_if_nothing_matches(pages.first(plan, limit, clock))


def search_text(
    text: str, viewer: Viewer, limit: int = DEFAULT_LIMIT, *, fold: bool = False
) -> Results:
    """Return the pictures for a query line (see gallery.search.query.syntax), in any language that
    the active model knows. Raises what `search` raises, naming the field "q"."""
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
        # A query line is a single field.
        refusal.field = "q"
        raise


def parse_line(text: str, viewer: Viewer) -> syntax.Parsed:
    """Parse a query line, which may be empty. Raises Refusal, naming "q", for terms and filters
    that `search` would refuse."""
    parsed = syntax.parse(text)
    try:
        parsed.query.check()
        checked_filters(parsed.query.filters, viewer)
    except Refusal as refusal:
        refusal.field = "q"
        raise
    return parsed


def search_similar(image: Image, viewer: Viewer, *, limit: int = DEFAULT_LIMIT) -> Results:
    """Return pictures similar to a stored one, without it and its exact copies.

    The caller has checked that `viewer` may reach `image`. Raises Refusal if the picture has no
    vector yet.
    """
    return search(Query((Term(image=image.pk),)), viewer, limit, checked=[image])


def search_picture(picture: QueryPicture, viewer: Viewer, *, limit: int = DEFAULT_LIMIT) -> Results:
    """Return pictures similar to one that is not stored. Its exact copies are listed separately.

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
    """Return the page at `cursor`. Raises Expired if its window is no longer kept."""
    return pages.continued(cursor, viewer, limit)


def count_matches(cursor: str, viewer: Viewer, most: int) -> tuple[int, bool]:
    """Return how many results are good matches, given the cursor of any page, and whether these are
    all. After `most` of them counting ends. Raises Expired if the window is no longer kept."""
    return pages.matches(cursor, viewer, most)


def _notes_on(texts: Sequence[str], problem: Problem | None) -> Iterator[Note]:
    """Yield the notes on how the model reads the texts of a query."""
    if emoji := " ".join(emoji_of(" ".join(texts))[:_MOST_EMOJI]):
        names = {"emoji": emoji, "words": in_words(emoji)}
        yield Note("emoji", _("“%(emoji)s” is read as “%(words)s”.") % names)
    if problem:
        yield Note(problem.code, problem.message)


def _with_note_if_nothing_matches(results: Results) -> Results:
    """Return the first page, with a note if even its best hit is no match."""
    line = results.judgement.line
    best = max((hit.score for hit in results.hits if hit.score is not None), default=None)
    named = any(hit.by_words for hit in results.hits)
    if line is None or best is None or best >= line or named:
        return results
    note = Note("no_good_match", _("Nothing here matches well. These come closest."))
    return replace(results, notes=[*results.notes, note])

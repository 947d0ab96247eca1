"""Reading on in the results of a search, page after page, to the last picture."""

from __future__ import annotations

from uuid import UUID

from django.utils.translation import gettext as _

from gallery.errors import Expired
from gallery.indexing.selectors import visible_by_id, with_display_fields
from gallery.models import EmbeddingSpace, Image
from gallery.search import folding, ranking, scans, window
from gallery.search.results import Clock, Hit, Note, Results, Viewer
from gallery.search.window import Window

# The first page looks further than it shows: what the index misses lies at the end of a
# window, and the next page is ready.
FIRST_WINDOW = 20
# Past its end a window grows by this factor, so that all of it costs little more than its
# last widening.
GROWTH = 4
# What the index cannot hold is compared one by one, which costs the same for many.
EXACT_WINDOW = 5_000


def continued(cursor: str, viewer: Viewer, limit: int) -> Results:
    """The page that `cursor` names. Raises Expired if its window is no longer kept."""
    clock = Clock()
    while True:
        found, offset = window.load(cursor, viewer.pk)
        results = _page(found, _space_of(found), viewer, offset, limit, clock)
        if window.save(found):
            return results


def found_ids(cursor: str, viewer: Viewer, count: int) -> list[UUID]:
    """The ids of the first `count` results of a search, whatever page `cursor` is of.

    Raises Expired as `continued` does.
    """
    while True:
        found, _offset = window.load(cursor, viewer.pk)
        ids = _first_ids(found, viewer, count)
        if window.save(found):
            return ids


def _first_ids(found: Window, viewer: Viewer, count: int) -> list[UUID]:
    space = _space_of(found)
    while True:
        ids = found.ids
        visible = Image.objects.visible_to(viewer).filter(pk__in=ids)
        allowed = set(visible.order_by().values_list("pk", flat=True))
        missing = count - len(allowed)
        if missing <= 0 or not _widen(found, space, viewer, found.count + missing):
            return [pk for pk in ids if pk in allowed][:count]


def page(
    found: Window,
    space: EmbeddingSpace,
    viewer: Viewer,
    offset: int,
    limit: int,
    clock: Clock,
) -> Results:
    """`limit` hits of a new window from `offset` on, which is kept from now on."""
    results = _page(found, space, viewer, offset, limit, clock)
    window.save(found)
    return results


def _page(
    found: Window,
    space: EmbeddingSpace,
    viewer: Viewer,
    offset: int,
    limit: int,
    clock: Clock,
) -> Results:
    """Skips what the viewer may no longer see."""
    copies = _exact_copies(found, viewer) if offset == 0 else []
    hits: list[Hit] = []
    with clock.step("search"):
        while len(hits) < limit:
            if offset >= found.count and not _widen(found, space, viewer, offset + limit):
                break
            stop = min(offset + limit - len(hits), found.count)
            hits += _load(found, offset, stop, viewer)
            offset = stop
        more = offset < found.count or not found.complete
    return Results(
        hits=hits,
        exact=found.exact,
        space=space,
        next=found.cursor(offset) if more else None,
        start=found.cursor(0),
        took_ms=clock.shown_to(viewer),
        query=found.asked,
        fused=found.fused,
        judgement=found.judgement,
        notes=[Note(code, message) for code, message in found.notes],
        exact_copies=copies,
    )


def _space_of(found: Window) -> EmbeddingSpace:
    space = EmbeddingSpace.objects.filter(pk=found.space_id).first()
    if space is None:
        raise Expired(
            "search_expired", _("These results are no longer kept. Search again."), "cursor"
        )
    return space


def _exact_copies(found: Window, viewer: Viewer) -> list[Image]:
    if not found.copies_of:
        return []
    same_bytes = Image.objects.visible_to(viewer).filter(sha256__in=found.copies_of)
    same_bytes = same_bytes.exclude(pk__in=found.exclude_ids)
    return list(with_display_fields(same_bytes, viewer))


def _widen(found: Window, space: EmbeddingSpace, viewer: Viewer, needed: int) -> bool:
    """Rank further pictures into the window; False if there are none.

    What is near-duplicate of a picture in an earlier part of the window stands for itself:
    the earlier one may have been shown without it.
    """
    before = found.count
    while not found.complete and found.count == before:
        # One more than is needed, so that whether there is more is known, too.
        size = max(FIRST_WINDOW, needed + 1, GROWTH * found.count)
        if size > scans.MAX_EF_SEARCH:
            size = max(size, EXACT_WINDOW)
        more = ranking.rank(found, space, viewer, size)
        fresh = found.unknown(more.ids, more.scores)
        ids, scores = [pk for pk, _ in fresh], [score for _, score in fresh]
        found.append(ids, scores, folding.fold(ids) if found.fold else None)
        found.exact = found.exact and more.exact
        found.complete = more.complete
        needed = size
    return found.count > before


def _load(found: Window, start: int, stop: int, viewer: Viewer) -> list[Hit]:
    """The pictures of a part of the window, in its order."""
    part = found.part(start, stop)
    groups = [[first, *found.behind.get(first[0], ())] for first in part]
    shown = [pk for group in groups for pk, _score in group]
    by_id = visible_by_id(shown, viewer)
    hits = []
    for group in groups:
        # A leader that has gone leaves its place to the next that stood behind it.
        seen = [(by_id[pk], score) for pk, score in group if pk in by_id]
        if seen:
            hits.append(_hit(found, *seen[0], [image for image, _score in seen[1:]]))
    return hits


def _hit(found: Window, image: Image, score: float | None, similar: list[Image]) -> Hit:
    by_words = image.pk in found.by_words
    if score is None:
        return Hit(image, None, by_words=by_words, similar=similar)
    judged = found.judgement
    return Hit(image, score, judged.fit(score), judged.share(score), by_words, similar)

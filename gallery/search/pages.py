"""Pages of the results of a search, from the first picture to the last."""

from __future__ import annotations

from uuid import UUID

from gallery.indexing import selectors
from gallery.models import Image, Viewer
from gallery.search import ranking, window
from gallery.search.nearest import scans
from gallery.search.plan import Plan
from gallery.search.relevance.relevance import Judgement
from gallery.search.results import Clock, Hit, Results
from gallery.search.window import Window

# The least size of a first window. The index misses pictures mostly at the end of a window, so a
# short first page comes from a longer window. Its next page is then ready.
FIRST_WINDOW = 20
# Each widening multiplies the window by this factor, so that all widenings together cost little
# more than the last.
GROWTH = 4
# Windows that the index cannot fill are compared one by one, at the same cost for any size.
EXACT_WINDOW = 5_000


def first(plan: Plan, limit: int, clock: Clock) -> Results:
    """Return the first `limit` hits of a plan and save its window."""
    found = Window(plan)
    results = _page(found, 0, limit, clock)
    window.save(found)
    return results


def continued(cursor: str, viewer: Viewer, limit: int) -> Results:
    """Return the page at `cursor`. Raises Expired if its window is no longer kept."""
    clock = Clock()
    while True:
        found, offset = window.load(cursor, viewer)
        results = _page(found, offset, limit, clock)
        if window.save(found):
            return results


def found_ids(cursor: str, viewer: Viewer, count: int) -> list[UUID]:
    """Return the ids of the first `count` results of a search, given the cursor of any page.

    Raises Expired if the window is no longer kept.
    """
    while True:
        found, _offset = window.load(cursor, viewer)
        ids = _first_ids(found, count)
        if window.save(found):
            return ids


def matches(cursor: str, viewer: Viewer, most: int) -> tuple[int, bool]:
    """Return how many pictures come before the first weak one, given the cursor of any page, and
    whether these are all. After `most` pictures counting ends.

    Raises Expired if the window is no longer kept.
    """
    while True:
        found, _offset = window.load(cursor, viewer)
        ids, are_all = _matching(found, most)
        if window.save(found):
            return Image.objects.visible_to(viewer).filter(pk__in=ids).count(), are_all


def _matching(found: Window, most: int) -> tuple[list[UUID], bool]:
    """Return the pictures before the first weak one, and whether these are all."""
    ids: list[UUID] = []
    while True:
        for image_id, score in found.part(len(ids), found.count):
            if not found.judgement.is_match(score, by_words=image_id in found.by_words):
                return ids, True
            if len(ids) == most:
                return ids, False
            ids.append(image_id)
        if not _widen(found, found.count + 1):
            return ids, True


def _first_ids(found: Window, count: int) -> list[UUID]:
    while True:
        ids = found.ids
        visible = Image.objects.visible_to(found.plan.viewer).filter(pk__in=ids)
        allowed = set(visible.order_by().values_list("pk", flat=True))
        missing = count - len(allowed)
        if missing <= 0 or not _widen(found, found.count + missing):
            return [pk for pk in ids if pk in allowed][:count]


def _page(found: Window, offset: int, limit: int, clock: Clock) -> Results:
    """Return `limit` hits from `offset` on, without pictures that the viewer may no longer see."""
    copies = _exact_copies(found.plan) if offset == 0 else []
    hits: list[Hit] = []
    with clock.step("search"):
        while len(hits) < limit:
            if offset >= found.count and not _widen(found, offset + limit):
                break
            stop = min(offset + limit - len(hits), found.count)
            hits += _load(found, offset, stop)
            offset = stop
        more = offset < found.count or not found.complete
    return Results(
        hits=hits,
        exact=found.exact,
        space=found.plan.space,
        next=found.cursor(offset) if more else None,
        start=found.cursor(0),
        took_ms=clock.shown_to(found.plan.viewer),
        query=found.plan.query,
        fused=found.fused,
        judgement=found.judgement,
        notes=list(found.plan.notes),
        exact_copies=copies,
    )


def _exact_copies(plan: Plan) -> list[Image]:
    if not plan.copies_of:
        return []
    return selectors.exact_copies(plan.copies_of, plan.exclude_ids, plan.viewer)


def _widen(found: Window, needed: int) -> bool:
    """Rank further pictures into the window. Return False if there are none."""
    before = found.count
    while not found.complete and found.count == before:
        # One more than needed tells whether there is a further page.
        size = max(FIRST_WINDOW, needed + 1, GROWTH * found.count)
        if size > scans.LARGEST_WINDOW:
            size = max(size, EXACT_WINDOW)
        found.add(ranking.rank(found.plan, size, found.count, found.after))
        needed = size
    return found.count > before


def _load(found: Window, start: int, stop: int) -> list[Hit]:
    """Return the hits of a part of the window, in its order."""
    part = found.part(start, stop)
    groups = [[leader, *found.behind.get(leader[0], ())] for leader in part]
    shown = [pk for group in groups for pk, _score in group]
    by_id = selectors.visible_by_id(shown, found.plan.viewer)
    judgement, hits = found.judgement, []
    for group in groups:
        # If the leader is gone, its next near-duplicate takes its place.
        seen = [(by_id[pk], score) for pk, score in group if pk in by_id]
        if seen:
            (image, score), *behind = seen
            similar = [image for image, _score in behind]
            hit = _hit(image, score, judgement, image.pk in found.by_words, similar)
            hits.append(hit.capped() if found.plan.unreadable else hit)
    return hits


def _hit(
    image: Image,
    score: float | None,
    judgement: Judgement,
    by_words: bool,
    similar: list[Image],
) -> Hit:
    if score is None:
        return Hit(image, None, by_words=by_words, similar=similar)
    return Hit(image, score, judgement.fit(score), judgement.probability(score), by_words, similar)

"""The order of results: by distance or, if words match, by distance and words."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from gallery import keyset, viewer_cache
from gallery.encoders.base import Vectors
from gallery.indexing.selectors import visible_ids
from gallery.models import Image, Viewer
from gallery.search import words
from gallery.search.filters import image_filter
from gallery.search.fusion import reciprocal_rank_fusion
from gallery.search.nearest import planner, scans
from gallery.search.nearest.planner import Ranking
from gallery.search.nearest.scans import Scope
from gallery.search.plan import Plan

# At most this many pictures with the words of a text are fused. All of them are in the first
# window; the pictures after it are ordered by distance alone.
MOST_BY_WORDS = 200


@dataclass(frozen=True)
class Ranked(Ranking):
    """Pictures in the order of a search. `by_words` are the pictures with the words of the query.
    `fused`: they changed the order. `raised_line` is the relevance line if nothing matches well.
    Without a vector, `after` is the cursor of the next pictures (gallery.keyset)."""

    by_words: frozenset[UUID] = frozenset()
    fused: bool = False
    raised_line: float | None = None
    after: str = ""


def rank(plan: Plan, size: int, known: int = 0, after: str = "") -> Ranked:
    """Return the first `size` pictures of the plan that its viewer may see. `known` of them have
    been found before, up to the cursor `after`.

    The first call may return more, because of words. Later calls return the order by distance,
    including the known pictures. Without a vector, they return only the pictures after the cursor.
    """
    if plan.vector is None:
        return _listed(plan, max(size - known, 1), after)
    searched = _all_of(plan.viewer) if plan.is_whole else plan.scope
    nearest = planner.nearest(plan.space, plan.vector, searched, size, plan.kind)
    if known:
        return _ranked(nearest)
    by_words = _by_words(plan)
    if by_words:
        return _fused(plan, plan.vector, nearest, by_words)
    return _ranked(nearest, raised_line=_raised_line(plan, nearest))


def _ranked(nearest: Ranking, raised_line: float | None = None) -> Ranked:
    ids, scores = nearest.ids, nearest.scores
    return Ranked(ids, scores, nearest.exact, nearest.complete, raised_line=raised_line)


@lru_cache(maxsize=viewer_cache.MAX_VIEWERS)
def _all_of(viewer: Viewer) -> Scope:
    return Scope(*visible_ids(viewer), is_whole=True)


def _raised_line(plan: Plan, nearest: Ranking) -> float | None:
    """Return the relevance line raised above all scores if the best score is no better than
    chance; None if the line stays. The size of the scope counts if it is known. The line also stays
    if the filters hide a sure match that the viewer may see: the query is not meaningless then."""
    judgement, best = plan.judgement, next(iter(nearest.scores), None)
    if best is None:
        return None
    settled = judgement.settled(best, len(nearest.ids) if nearest.complete else None)
    if settled.line == judgement.line:
        return None
    is_sure = plan.narrowed.filters and judgement.sure
    if is_sure and scans.among(_all_of(plan.viewer), judgement.sure):
        return None
    return settled.line


# --- Words ------------------------------------------------------------------------


def _by_words(plan: Plan) -> list[list[UUID]]:
    """Return, for each positive text, the pictures with its words, best first, without pictures
    that have the words of a negative text."""
    query, viewer = plan.query, plan.viewer
    rankings = [
        words.ranked(plan.scope, text, viewer, MOST_BY_WORDS) for text in query.positive_texts
    ]
    found = {pk for ranking in rankings for pk in ranking}
    unlike = {pk for text in query.negative_texts for pk in words.having(found, text, viewer)}
    kept = [[pk for pk in ranking if pk not in unlike] for ranking in rankings]
    return [ranking for ranking in kept if ranking]


def _fused(plan: Plan, vector: Vectors, nearest: Ranking, by_words: list[list[UUID]]) -> Ranked:
    """Fuse the order by distance with the orders by words. Each picture keeps its cosine. Pictures
    without a vector are left out."""
    scores = _scores(nearest)
    further = {pk for ranking in by_words for pk in ranking} - scores.keys()
    if further:
        images = Image.objects.filter(pk__in=further)
        measured = planner.nearest(plan.space, vector, images, len(further), plan.kind)
        scores |= _scores(measured)
    by_words = [[pk for pk in ranking if pk in scores] for ranking in by_words]
    order = reciprocal_rank_fusion([nearest.ids, *by_words])
    return Ranked(
        order,
        [scores[pk] for pk in order],
        nearest.exact,
        nearest.complete,
        by_words=frozenset(pk for ranking in by_words for pk in ranking),
        fused=order != nearest.ids,
    )


def _scores(ranking: Ranking) -> dict[UUID, float]:
    pairs = zip(ranking.ids, ranking.scores, strict=True)
    return {pk: score for pk, score in pairs if score is not None}


# --- Filters alone ----------------------------------------------------------------


def _listed(plan: Plan, further: int, after: str) -> Ranked:
    """Return the `further` pictures after the cursor, newest first or in the order that the
    filters name."""
    order = image_filter.order_of(plan.narrowed.filters)
    rows = plan.scope.only("pk", *({order.field} & {"created_at", "taken_at"}))
    images, following = keyset.page(rows, after or None, further, order=order)
    ids = [image.pk for image in images]
    scores = [None] * len(ids)
    return Ranked(ids, scores, exact=True, complete=following is None, after=following or "")

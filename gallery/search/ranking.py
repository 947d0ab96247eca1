"""The order of a search's pictures: by distance and, where words match, by both."""

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

# So many of the pictures with the words of a text count: all of them stand among the
# first of a search, and what comes after them is ordered by distance alone.
MOST_BY_WORDS = 200


@dataclass(frozen=True)
class Ranked(Ranking):
    """Pictures in the order of a search, and what was learnt with them: which have the words
    of the query (`by_words`), whether these changed the order (`fused`), the line of a search
    in which nothing matches well (`raised_line`), and without a vector the cursor of what
    comes next (`after`, see gallery.keyset)."""

    by_words: frozenset[UUID] = frozenset()
    fused: bool = False
    raised_line: float | None = None
    after: str = ""


def rank(plan: Plan, size: int, known: int = 0, after: str = "") -> Ranked:
    """The first `size` pictures of the plan, of those its viewer may see. `known` of them
    have been found before, up to the cursor `after`.

    The first time it may be more of them. Later it is the order by distance, of which the
    beginning is known, or without a vector what comes behind that beginning.
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
    """The line where chance gives as good a best score, now that this is known, and where the
    scope is small how many it is of; None where the line stays. What matches something that
    the viewer may see beyond the filters is no chance."""
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
    """For each text to be like, the pictures with its words, the best first, but for
    those with the words of a text to be unlike."""
    query, viewer = plan.query, plan.viewer
    rankings = [
        words.ranked(plan.scope, text, viewer, MOST_BY_WORDS) for text in query.positive_texts
    ]
    found = {pk for ranking in rankings for pk in ranking}
    unlike = {pk for text in query.negative_texts for pk in words.having(found, text, viewer)}
    kept = [[pk for pk in ranking if pk not in unlike] for ranking in rankings]
    return [ranking for ranking in kept if ranking]


def _fused(plan: Plan, vector: Vectors, nearest: Ranking, by_words: list[list[UUID]]) -> Ranked:
    """Both orders in one; each picture keeps its cosine. Pictures that have no vector
    yet have no place in it."""
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
    """The `further` pictures behind the cursor: newest first, or in the order that the
    filters name."""
    order = image_filter.order_of(plan.narrowed.filters)
    rows = plan.scope.only("pk", *({order.field} & {"created_at", "taken_at"}))
    images, following = keyset.page(rows, after or None, further, order=order)
    ids = [image.pk for image in images]
    scores = [None] * len(ids)
    return Ranked(ids, scores, exact=True, complete=following is None, after=following or "")

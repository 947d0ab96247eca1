"""The order of a query's pictures: by distance and, where words match, by both."""

from __future__ import annotations

from functools import lru_cache
from typing import Any
from uuid import UUID

from gallery import keyset, viewer_cache
from gallery.encoders.base import Vectors
from gallery.errors import Refusal
from gallery.indexing.selectors import visible_ids, visible_to
from gallery.models import EmbeddingSpace, Image
from gallery.models.image import ImageQuerySet
from gallery.search import filters, planner, scans, words
from gallery.search.fusion import reciprocal_rank_fusion
from gallery.search.planner import Ranking
from gallery.search.query import Query
from gallery.search.relevance import Judgement
from gallery.search.results import Viewer
from gallery.search.scans import Scope
from gallery.search.window import Window

# So many of the pictures with the words of a text count: all of them stand among the
# first of a search, and what comes after them is ordered by distance alone.
MOST_BY_WORDS = 200


def rank(found: Window, space: EmbeddingSpace, viewer: Viewer, size: int) -> Ranking:
    """The first `size` pictures of the query in `found`, of those `viewer` may see.

    The first time it may be more of them, and `found` is told which have the words of
    the query; later it is the order by distance, of which `found` has the beginning,
    or without a vector what comes behind that beginning.
    """
    scope = scope_of(found, viewer)
    if found.vector is None:
        return _listed(found, scope, size)
    is_whole = not found.filters and not found.exclude_sha256s
    searched = _all_of(viewer) if is_whole else scope
    nearest = planner.nearest(space, found.vector, searched, size, found.kind)
    if found.count:
        return nearest
    by_words = _by_words(found.asked, scope, viewer)
    if by_words:
        return _fused(found, found.vector, space, nearest, by_words)
    found.judgement = _settled(found, nearest, viewer)
    return nearest


def scope_of(found: Window, viewer: Viewer) -> ImageQuerySet:
    """What `found` searches: all that the viewer may see and the filters leave, but
    for the query pictures."""
    scope = narrowed(found.filters, viewer)
    if found.exclude_sha256s:
        scope = scope.exclude(sha256__in=found.exclude_sha256s)
    return scope


def narrowed(wanted: dict[str, Any], viewer: Viewer) -> ImageQuerySet:
    """What the viewer may see, narrowed. Raises Refusal naming `filters.<name>`."""
    scope = visible_to(viewer)
    try:
        return filters.narrow(scope, wanted, viewer) if wanted else scope
    except Refusal as refusal:
        refusal.field = f"filters.{refusal.field}"
        raise


@lru_cache(maxsize=viewer_cache.MAX_VIEWERS)
def _all_of(viewer: Viewer) -> Scope:
    return Scope(*visible_ids(viewer), is_whole=True)


def _settled(found: Window, nearest: Ranking, viewer: Viewer) -> Judgement:
    """Now that the best score is known, and where the scope is small how many it is of.
    What matches something that the viewer may see beyond the filters is no chance."""
    judgement, best = found.judgement, next(iter(nearest.scores), None)
    if best is None:
        return judgement
    settled = judgement.settled(best, len(nearest.ids) if nearest.complete else None)
    if settled == judgement or not (found.filters and judgement.sure):
        return settled
    return judgement if scans.among(_all_of(viewer), judgement.sure) else settled


# --- Words ------------------------------------------------------------------------


def _by_words(query: Query, scope: ImageQuerySet, viewer: Viewer) -> list[list[UUID]]:
    """For each text to be like, the pictures with its words, the best first, but for
    those with the words of a text to be unlike."""
    rankings = [words.ranked(scope, text, viewer, MOST_BY_WORDS) for text in query.positive_texts]
    found = {pk for ranking in rankings for pk in ranking}
    unlike = {pk for text in query.negative_texts for pk in words.having(found, text, viewer)}
    kept = [[pk for pk in ranking if pk not in unlike] for ranking in rankings]
    return [ranking for ranking in kept if ranking]


def _fused(
    found: Window,
    vector: Vectors,
    space: EmbeddingSpace,
    nearest: Ranking,
    by_words: list[list[UUID]],
) -> Ranking:
    """Both orders in one; each picture keeps its cosine. Pictures that have no vector
    yet have no place in it."""
    scores = _scores(nearest)
    further = {pk for ranking in by_words for pk in ranking} - scores.keys()
    if further:
        images = Image.objects.filter(pk__in=further)
        measured = planner.nearest(space, vector, images, len(further), found.kind)
        scores |= _scores(measured)
    by_words = [[pk for pk in ranking if pk in scores] for ranking in by_words]
    order = reciprocal_rank_fusion([nearest.ids, *by_words])
    found.by_words = {pk for ranking in by_words for pk in ranking}
    found.fused = order != nearest.ids
    return Ranking(order, [scores[pk] for pk in order], nearest.exact, nearest.complete)


def _scores(ranking: Ranking) -> dict[UUID, float]:
    pairs = zip(ranking.ids, ranking.scores, strict=True)
    return {pk: score for pk, score in pairs if score is not None}


# --- Filters alone ----------------------------------------------------------------


def _listed(found: Window, scope: ImageQuerySet, size: int) -> Ranking:
    """Pictures without a query: newest first, or in the order that the filters name,
    going on behind the last one found."""
    order = filters.order_of(found.filters)
    rows = scope.only("pk", *({order.field} & {"created_at", "taken_at"}))
    further = max(size - found.count, 1)
    images, after = keyset.page(rows, found.after or None, further, order=order)
    found.after = after or ""
    ids = [image.pk for image in images]
    return Ranking(ids, [None] * len(ids), exact=True, complete=after is None)

"""Rank fusion."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

# The constant of the paper. Its authors chose it on other data; it has worked on most since.
K = 60


def reciprocal_rank_fusion(rankings: Sequence[Sequence[UUID]], k: int = K) -> list[UUID]:
    """Return each id of `rankings` once, by the descending sum of 1 / (k + rank) over the rankings
    that contain it. Rank 1 is the best. Ties are in the order of first occurrence.

    Source: Cormack, Clarke, Büttcher 2009, "Reciprocal rank fusion outperforms
    Condorcet and individual rank learning methods", SIGIR.
    """
    scores: dict[UUID, float] = {}
    for ranking in rankings:
        for rank, key in enumerate(ranking, start=1):
            scores[key] = scores.get(key, 0.0) + 1 / (k + rank)
    # Sorting is stable, and the ids of the first ranking were inserted first.
    return sorted(scores, key=lambda key: -scores[key])

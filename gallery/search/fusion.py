"""One order from several."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

# The constant of the paper, chosen there on other data and good on most since.
K = 60


def reciprocal_rank_fusion(rankings: Sequence[Sequence[UUID]], k: int = K) -> list[UUID]:
    """All that any of `rankings` holds, each once, by the sum of 1 / (k + rank) over
    the rankings that hold it (rank 1 is the best); ties in the order of the first one.

    Source: Cormack, Clarke, Büttcher 2009, "Reciprocal rank fusion outperforms
    Condorcet and individual rank learning methods", SIGIR.
    """
    scores: dict[UUID, float] = {}
    for ranking in rankings:
        for rank, key in enumerate(ranking, start=1):
            scores[key] = scores.get(key, 0.0) + 1 / (k + rank)
    # Sorting is stable, and what the first ranking holds was entered first.
    return sorted(scores, key=lambda key: -scores[key])

"""How well results fit: scores beside those that the same query gets by chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gallery.encoders.base import Vectors
from gallery.models import EmbeddingSpace
from gallery.search.planner import Kind

Fit = Literal["excellent", "good", "fair", "weak"]


@dataclass(frozen=True)
class Judgement:
    """What the scores of one query mean. `line` is the least score of a match; without
    one nothing is known (too few pictures), and `fit` is None."""

    line: float | None = None

    def fit(self, score: float) -> Fit | None:
        return None

    def share(self, score: float) -> float:
        """How long the bar of this score is, in [0, 1]."""
        return min(max(score, 0.0), 1.0)


def judge(space: EmbeddingSpace, vector: Vectors, kind: Kind) -> Judgement:
    """What scores of the unit vector (d,) mean in `space`."""
    return Judgement()

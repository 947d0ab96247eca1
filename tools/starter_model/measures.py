"""The formulas of the figures, on plain vectors."""

from __future__ import annotations

import torch
from torch import Tensor

DEPTHS = (1, 5, 10)


def recalls(texts: Tensor, pictures: Tensor, owners: Tensor) -> dict[str, float]:
    """The percentage of texts whose own picture is among the nearest 1, 5 and 10.

    `texts` (n, d) and `pictures` (m, d) are unit vectors, `owners` (n,) is the row of the
    picture that each text describes. Pictures at the same distance count as nearer.
    """
    likeness = texts @ pictures.T
    own = likeness.gather(1, owners[:, None])
    ahead = (likeness >= own).sum(dim=1) - 1
    return {f"r@{depth}": _percent(ahead < depth) for depth in DEPTHS}


def top_category(pictures: Tensor, categories: Tensor, truth: Tensor) -> float:
    """The percentage of pictures whose nearest category text is the right one."""
    return _percent((pictures @ categories.T).argmax(dim=1) == truth)


def neighbours_of_a_kind(pictures: Tensor, kinds: Tensor, depth: int = 5) -> float:
    """The mean percentage of the `depth` nearest other pictures that show the same kind of
    thing, over all pictures of kinds with more than `depth` pictures."""
    likeness = pictures @ pictures.T
    likeness.fill_diagonal_(-2)
    nearest = likeness.topk(min(depth, len(pictures) - 1), dim=1).indices
    counts = torch.bincount(kinds)[kinds]
    return _percent((kinds[nearest] == kinds[:, None])[counts > depth])


def _percent(hits: Tensor) -> float:
    return round(100 * float(hits.float().mean()), 1)

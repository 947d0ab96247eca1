"""What the joint training minimises."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def contrast(pictures: Tensor, texts: Tensor, scale: Tensor, smoothing: float) -> Tensor:
    """Each picture with its own text and each text with its own picture, among all others.

    (n, d) and (n, d) unit vectors.
    """
    likeness = scale * pictures @ texts.T
    own = torch.arange(len(pictures))
    return 0.5 * (
        functional.cross_entropy(likeness, own, label_smoothing=smoothing)
        + functional.cross_entropy(likeness.T, own, label_smoothing=smoothing)
    )


def contrast_many(pictures: Tensor, texts: Tensor, scale: Tensor, fits: Tensor) -> Tensor:
    """The same where several texts fit a picture: `fits` (n, n), true where they do."""
    likeness = scale * pictures @ texts.T
    return 0.5 * (_spread(likeness, fits) + _spread(likeness.T, fits.T))


def _spread(likeness: Tensor, fits: Tensor) -> Tensor:
    wanted = fits.float() / fits.sum(dim=1, keepdim=True)
    return -(wanted * functional.log_softmax(likeness, dim=1)).sum(dim=1).mean()


def forgetting(before: Tensor, now: Tensor) -> Tensor:
    """How far the ImageNet classifier's opinion has moved: (n, classes) logits each."""
    return functional.kl_div(
        functional.log_softmax(now, dim=1),
        functional.log_softmax(before, dim=1),
        log_target=True,
        reduction="batchmean",
    )


def distance(vectors: Tensor, wanted: Tensor, scale: float) -> Tensor:
    """How far unit vectors are from those that they should be, one by one and among each other."""
    among = functional.cross_entropy(scale * vectors @ wanted.T, torch.arange(len(vectors)))
    return 8 * (1 - (vectors * wanted).sum(dim=1).mean()) + 0.5 * among

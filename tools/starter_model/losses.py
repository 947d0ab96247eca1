"""The losses of the joint training."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def contrast(pictures: Tensor, texts: Tensor, scale: Tensor, smoothing: float) -> Tensor:
    """The symmetric contrastive loss of pictures (n, d) and their texts (n, d), unit vectors."""
    likeness = scale * pictures @ texts.T
    own = torch.arange(len(pictures))
    return 0.5 * (
        functional.cross_entropy(likeness, own, label_smoothing=smoothing)
        + functional.cross_entropy(likeness.T, own, label_smoothing=smoothing)
    )


def contrast_many(pictures: Tensor, texts: Tensor, scale: Tensor, fits: Tensor) -> Tensor:
    """The same loss if several texts fit a picture: `fits` (n, n) is true for fitting pairs."""
    likeness = scale * pictures @ texts.T
    return 0.5 * (_spread(likeness, fits) + _spread(likeness.T, fits.T))


def _spread(likeness: Tensor, fits: Tensor) -> Tensor:
    wanted = fits.float() / fits.sum(dim=1, keepdim=True)
    return -(wanted * functional.log_softmax(likeness, dim=1)).sum(dim=1).mean()


def forgetting(before: Tensor, now: Tensor) -> Tensor:
    """The KL divergence of the ImageNet classifier's outputs: (n, classes) logits each."""
    return functional.kl_div(
        functional.log_softmax(now, dim=1),
        functional.log_softmax(before, dim=1),
        log_target=True,
        reduction="batchmean",
    )


def distance(vectors: Tensor, wanted: Tensor, scale: float) -> Tensor:
    """The loss of unit vectors against the wanted ones: by their cosines, and contrastively."""
    among = functional.cross_entropy(scale * vectors @ wanted.T, torch.arange(len(vectors)))
    return 8 * (1 - (vectors * wanted).sum(dim=1).mean()) + 0.5 * among

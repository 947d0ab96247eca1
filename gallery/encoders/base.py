"""The interface of encoders, without any model library."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from PIL import Image as PILImage

Vectors = npt.NDArray[np.float32]


class Encoder(Protocol):
    """Maps pictures and texts to unit vectors in one common space."""

    dimensions: int
    logit_scale: float
    """The factor of the cosine before softmax or sigmoid, already exponentiated."""
    logit_bias: float | None
    """Added after scaling, for models trained with a sigmoid loss (SigLIP)."""
    checksum: str
    """SHA-256 (hex) over the weights: encoders with the same checksum give the same vectors."""
    batch_size: int
    """A good number of pictures for the device at once."""
    running: dict[str, Any]
    """How pictures are encoded, as plain values for display."""

    def encode_images(self, images: Sequence[PILImage.Image]) -> Vectors:
        """RGB pictures of any size -> (n, dimensions) float32, L2-normalised."""
        ...

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """Texts in any language -> (n, dimensions) float32, L2-normalised."""
        ...


class ModelUnavailable(Exception):
    """The model cannot be loaded. The message is one sentence for the administrator."""


def l2_normalise(vectors: npt.ArrayLike) -> Vectors:
    """(n, d) -> (n, d) float32 with rows of length 1.

    Raises ValueError for a zero or non-finite row: it has no direction, and no search would
    find it in the index.
    """
    array = np.asarray(vectors, dtype=np.float32)
    norms = np.linalg.norm(array, axis=-1, keepdims=True)
    if not np.all(np.isfinite(norms)) or not np.all(norms > 0):
        raise ValueError("The model gave a vector without a direction.")
    return np.asarray(array / norms, dtype=np.float32)

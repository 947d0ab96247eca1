"""A 64-bit fingerprint that hardly changes when a picture is scaled, recompressed or slightly
edited: near-duplicates differ in a few bits.

pHash: the signs of the 8 × 8 lowest frequencies of a discrete cosine transform,
compared with their median (Zauner, Implementation and Benchmarking of Perceptual
Image Hash Functions, 2010). The bits are those of `imagehash.phash`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

_SIDE = 32
_LOW = 8


def _cosines() -> npt.NDArray[np.float64]:
    """(8, 32): the first rows of the DCT-II, not normalised."""
    frequency, position = np.mgrid[0:_LOW, 0:_SIDE]
    return 2 * np.cos(np.pi * frequency * (2 * position + 1) / (2 * _SIDE))


_COSINES = _cosines()


def perceptual_hash(picture: Image.Image) -> int:
    """Return the hash as a signed 64-bit integer, as PostgreSQL stores it."""
    small = picture.convert("L").resize((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    grey = np.asarray(small, dtype=np.float64)
    # Rounded, because the coefficients of a flat picture are only floating-point noise.
    low = np.round(_COSINES @ grey @ _COSINES.T, 6)
    bits = (low > np.median(low)).ravel()
    return int.from_bytes(np.packbits(bits).tobytes(), "big", signed=True)

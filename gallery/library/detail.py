"""How much two pictures differ where they differ most. This tells two receipts apart, but not
a receipt from a smaller copy of itself.

Hash, vector and preview only capture outlines. This module compares renditions place by
place, at the largest size that both have, so that a single different digit counts.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image as PILImage
from PIL.Image import Image as Picture

from gallery.library import renditions
from gallery.library.storage import read_stored
from gallery.models import Image

# Limits of each of the two renditions: decoding and converting both takes some 40 MB. Larger
# ones show smaller letters, but copies also differ more there (docs/decisions/0030).
_MOST_WIDTH, _MOST_PIXELS = 1280, 4_000_000
# Sides in pixels of the squares whose means are compared. Strokes of letters differ in
# brightness. JPEG keeps every second pixel of colours, and its rounding errors even out over
# larger squares.
_LIGHT, _COLOUR = 2, 8
# Rows that are compared at once.
_BAND = 256


def difference(one: Image, other: Image) -> float:
    """Return the largest difference between the means of one place in both pictures: in
    levels, 0 … 255, of brightness or of a colour channel (YCbCr). Both have the same shape.

    Reads renditions, which are our own WebP files, and makes missing ones. Raises
    renditions.NoPreview or, if the storage fails, Unavailable.
    """
    widths = [_width_read(image) for image in (one, other)]
    pictures = [_read(image, width) for image, width in zip((one, other), widths, strict=True)]
    size = min(picture.size for picture in pictures)
    first, second = (_in_size(picture, size) for picture in pictures)
    width, height = size
    largest = 0.0
    for top in range(0, height, _BAND):
        # A square may begin in one band and end in the next.
        band = (0, top, width, min(top + _BAND + _COLOUR - 1, height))
        apart = _levels(first.crop(band)) - _levels(second.crop(band))
        for channel, side in enumerate((_LIGHT, _COLOUR, _COLOUR)):
            largest = max(largest, _largest_mean(apart[..., channel], side))
    return largest


def _width_read(image: Image) -> int:
    """The widest rendition within the limits, or the smallest."""
    smallest, *others = renditions.widths_of(image)
    tallness = image.height / image.width
    bounded = [
        width
        for width in others
        if width <= _MOST_WIDTH and min(width, image.width) ** 2 * tallness <= _MOST_PIXELS
    ]
    return max([smallest, *bounded])


def _read(image: Image, width: int) -> Picture:
    name = renditions.ensure_rendition(image, width)
    return PILImage.open(read_stored(name)).convert("RGB")


def _in_size(picture: Picture, size: tuple[int, int]) -> Picture:
    if picture.size != size:
        picture = picture.resize(size, PILImage.Resampling.LANCZOS)
    return picture.convert("YCbCr")


def _levels(picture: Picture) -> npt.NDArray[np.float32]:
    """(height, width, 3)"""
    return np.asarray(picture, dtype=np.float32)


def _largest_mean(apart: npt.NDArray[np.float32], side: int) -> float:
    """Return the largest absolute mean of `side` by `side` neighbours in a (height, width)
    array; fewer neighbours where the array is smaller."""
    rows, columns = min(side, apart.shape[0]), min(side, apart.shape[1])
    windows = np.lib.stride_tricks.sliding_window_view(apart, columns, axis=1).mean(axis=-1)
    windows = np.lib.stride_tricks.sliding_window_view(windows, rows, axis=0).mean(axis=-1)
    return float(np.abs(windows).max())

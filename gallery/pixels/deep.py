"""Grey of more than 8 bits: which values are shown as black and white."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image

from gallery.pixels import tiff

MODES = {"I", "F", "I;16", "I;16L", "I;16B", "I;16N"}

Box = tuple[int, int, int, int]

# Values are looked at in so many pixels.
_MOST_SAMPLES = 250_000
# This share at either end may be wrong: dead and hot pixels, what was never measured. Of
# small pictures it is at least so many pixels, but no more than the other share.
_SHARE, _PIXELS, _MOST_SHARE = 0.01, 4, 0.05


def to_grey(image: Image.Image, boxes: Iterator[Box]) -> Callable[[Image.Image], Image.Image]:
    """What makes L of each tile of `image`, one of MODES; `boxes` cover it."""
    black, white = (0.0, 65535.0)
    if not image.mode.startswith("I;16"):
        black, white = _black_and_white(image, boxes)
    is_white_zero = tiff.is_white_zero(image)

    def convert(tile: Image.Image) -> Image.Image:
        # Pillow itself clips deep modes to 255.
        values = _floats(np.asarray(tile))
        np.nan_to_num(values, copy=False, nan=black, posinf=white, neginf=black)
        np.clip(values, black, white, out=values)
        values -= black
        values *= 255 / (white - black)
        values += 0.5
        if is_white_zero:
            np.subtract(256, values, out=values)
        return Image.fromarray(values.astype(np.uint8))

    return convert


def _black_and_white(image: Image.Image, boxes: Iterator[Box]) -> tuple[float, float]:
    """Black is 0, or the least value below. White is the greatest value, yet of floats at
    least 1, and of integers 255 or at least 65,535, whichever suffices."""
    low, high = _extremes(_samples(image, boxes))
    if image.mode == "F":
        return min(low, 0.0), max(high, 1.0)
    return min(low, 0.0), 255.0 if high <= 255 else max(high, 65535.0)


def _samples(image: Image.Image, boxes: Iterator[Box]) -> np.ndarray:
    """Finite values, evenly from all of the picture."""
    step = max(1, image.width * image.height // _MOST_SAMPLES)
    found = [np.asarray(image.crop(box)).ravel()[::step].copy() for box in boxes]
    values = _floats(np.concatenate(found))
    return values[np.isfinite(values)]


def _floats(values: np.ndarray) -> np.ndarray:
    # A value that is no number may be one that is to signal so.
    with np.errstate(invalid="ignore"):
        return values.astype(np.float64)


def _extremes(values: np.ndarray) -> tuple[float, float]:
    """The least and the greatest value, without those at the ends that lie farther from the
    others than these from one another."""
    if not len(values):
        return 0.0, 0.0
    share = min(_MOST_SHARE, max(_SHARE, _PIXELS / len(values)))
    first, last = np.quantile(values, (share, 1 - share))
    reach = last - first
    inner = values[(values >= first - reach) & (values <= last + reach)]
    return float(inner.min()), float(inner.max())

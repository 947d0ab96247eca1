"""Converts grey of more than 8 bits: which values become black and white."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image

from gallery.pixels import tiff

MODES = {"I", "F", "I;16", "I;16L", "I;16B", "I;16N"}

Box = tuple[int, int, int, int]

# About how many pixels are sampled to find the range of values.
_MOST_SAMPLES = 250_000
# The share of values at either end that may be outliers: dead and hot pixels, missing
# measurements. In small pictures at least _PIXELS values may be, but at most _MOST_SHARE.
_SHARE, _PIXELS, _MOST_SHARE = 0.01, 4, 0.05


def to_grey(image: Image.Image, boxes: Iterator[Box]) -> Callable[[Image.Image], Image.Image]:
    """Return a function that converts tiles of `image`, which has one of MODES, to L. `boxes`
    cover the picture."""
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
    """Return the values of black and white. Black is 0, or the least value if that is lower.
    White is the greatest value, but at least 1 for floats; for integers it is 255 if that
    suffices, else at least 65,535."""
    low, high = _extremes(_samples(image, boxes))
    if image.mode == "F":
        return min(low, 0.0), max(high, 1.0)
    return min(low, 0.0), 255.0 if high <= 255 else max(high, 65535.0)


def _samples(image: Image.Image, boxes: Iterator[Box]) -> np.ndarray:
    """Return finite values, evenly spread over the picture."""
    step = max(1, image.width * image.height // _MOST_SAMPLES)
    found = [np.asarray(image.crop(box)).ravel()[::step].copy() for box in boxes]
    values = _floats(np.concatenate(found))
    return values[np.isfinite(values)]


def _floats(values: np.ndarray) -> np.ndarray:
    # Converting a signalling NaN would cause a warning.
    with np.errstate(invalid="ignore"):
        return values.astype(np.float64)


def _extremes(values: np.ndarray) -> tuple[float, float]:
    """Return the least and the greatest value without outliers, which lie farther from the
    inner values than these are apart."""
    if not len(values):
        return 0.0, 0.0
    share = min(_MOST_SHARE, max(_SHARE, _PIXELS / len(values)))
    first, last = np.quantile(values, (share, 1 - share))
    reach = last - first
    inner = values[(values >= first - reach) & (values <= last + reach)]
    return float(inner.min()), float(inner.max())

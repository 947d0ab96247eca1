"""The background of a picture with transparency.

It is white, unless the drawing would not stand out from white. The pixels alone decide, so that
pages, colours and encoder see the same.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image

Grey = int

WHITE, MIDDLE, DARK = 255, 128, 40
# The longest side, in pixels, of the copy that is examined.
_SIDE = 256
# An edge is visible if, for each step of opacity, a channel changes by at least this (of 255).
_LEAST_CONTRAST = 64
# Another background is used if a larger share of edges than _MOST_LOST is invisible on white,
# and if it shows _LEAST_GAIN more. Less transparency than _LEAST_TRANSPARENT is invisible.
_MOST_LOST, _LEAST_GAIN, _LEAST_TRANSPARENT = 0.25, 0.25, 0.02


def under(image: Image.Image, to_rgba: Callable[[Image.Image], Image.Image]) -> Grey:
    """Return the grey of the background: white, or one on which the edges between opaque and
    transparent are much more visible."""
    scale = max(1.0, max(image.size) / _SIDE)
    size = (max(1, int(image.width / scale)), max(1, int(image.height / scale)))
    sample = image if scale == 1 else image.resize(size, Image.Resampling.NEAREST)
    pixels = np.asarray(to_rgba(sample), np.float32)
    colour, alpha = pixels[..., :3], pixels[..., 3:] / 255
    if float(1 - alpha.mean()) < _LEAST_TRANSPARENT:
        return WHITE
    shown = {ground: _visible_share(colour, alpha, ground) for ground in (WHITE, DARK, MIDDLE)}
    best = max(shown, key=lambda ground: shown[ground])
    lost, gain = 1 - shown[WHITE], shown[best] - shown[WHITE]
    return best if lost > _MOST_LOST and gain >= _LEAST_GAIN else WHITE


def _visible_share(colour: np.ndarray, alpha: np.ndarray, ground: Grey) -> float:
    """Return the share of visible edges, weighted by steps of opacity; 1 without any edges."""
    laid = colour * alpha + ground * (1 - alpha)
    seen = total = 0.0
    for axis in (0, 1):
        steps = np.abs(np.diff(alpha, axis=axis))[..., 0]
        changes = np.abs(np.diff(laid, axis=axis)).max(axis=-1, initial=0)
        total += float(steps.sum())
        seen += float(steps[changes >= _LEAST_CONTRAST * steps].sum())
    return seen / total if total else 1.0

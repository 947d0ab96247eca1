"""What lies under a picture with transparency.

White, as on paper, unless what is drawn would not stand out from it. It is decided by the
pixels alone, so that pages, colours and encoder see the same.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image

Grey = int

WHITE, MIDDLE, DARK = 255, 128, 40
# Looked at in so many pixels a side.
_SIDE = 256
# An edge is seen where, for each step of opacity, some channel changes by so much of 255.
_LEAST_CONTRAST = 64
# White is left where more of the edges than this is lost on it, and where another ground
# shows so much more. Of less transparency than that nothing is seen.
_MOST_LOST, _LEAST_GAIN, _LEAST_TRANSPARENT = 0.25, 0.25, 0.02


def under(image: Image.Image, to_rgba: Callable[[Image.Image], Image.Image]) -> Grey:
    """The grey that lets the edges between opaque and transparent be seen best."""
    scale = max(1.0, max(image.size) / _SIDE)
    size = (max(1, int(image.width / scale)), max(1, int(image.height / scale)))
    sample = image if scale == 1 else image.resize(size, Image.Resampling.NEAREST)
    pixels = np.asarray(to_rgba(sample), np.float32)
    colour, alpha = pixels[..., :3], pixels[..., 3:] / 255
    if float(1 - alpha.mean()) < _LEAST_TRANSPARENT:
        return WHITE
    shown = {ground: _shown(colour, alpha, ground) for ground in (WHITE, DARK, MIDDLE)}
    best = max(shown, key=lambda ground: shown[ground])
    lost, gain = 1 - shown[WHITE], shown[best] - shown[WHITE]
    return best if lost > _MOST_LOST and gain >= _LEAST_GAIN else WHITE


def _shown(colour: np.ndarray, alpha: np.ndarray, ground: Grey) -> float:
    """The share of edges that are seen, by their steps of opacity; 1 where there are none."""
    laid = colour * alpha + ground * (1 - alpha)
    seen = total = 0.0
    for axis in (0, 1):
        steps = np.abs(np.diff(alpha, axis=axis))[..., 0]
        changes = np.abs(np.diff(laid, axis=axis)).max(axis=-1, initial=0)
        total += float(steps.sum())
        seen += float(steps[changes >= _LEAST_CONTRAST * steps].sum())
    return seen / total if total else 1.0

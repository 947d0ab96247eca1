"""OKLab: a space of colours where equal distances look about equally large.

Björn Ottosson, A perceptual color space for image processing, 2020,
https://bottosson.github.io/posts/oklab/ (the two matrices are from there).

Colours are (…, 3) arrays of L in [0, 1] and a, b within ±0.4.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

Colours = npt.NDArray[np.float64]

_TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_OKLAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
_FROM_CONES = np.linalg.inv(_TO_CONES)
_FROM_OKLAB = np.linalg.inv(_TO_OKLAB)

# a and b count twice: ΔE OK2, https://github.com/w3c/csswg-drafts/issues/6642, closer to
# what people see. One red in sun and shade stays together, red and brown do not.
SCALE = np.array([1.0, 2.0, 2.0])

# Sizes of the cells, which are cubes after scaling. Neutral colours lie in their middle.
_STEP = np.array([0.05, 0.025, 0.025])
_COUNTS = (21, 33, 33)
_LAST = np.array(_COUNTS) - 1
_ORIGIN = np.array([0, 16, 16])


def from_srgb(srgb: npt.NDArray[np.uint8]) -> Colours:
    """(…, 3) sRGB bytes -> OKLab."""
    encoded = np.arange(256) / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    return np.cbrt(linear[srgb] @ _TO_CONES.T) @ _TO_OKLAB.T


def to_srgb(colours: Colours) -> npt.NDArray[np.uint8]:
    """OKLab -> sRGB bytes. Colours outside sRGB are clipped."""
    linear = np.clip(_linear(colours), 0, 1)
    encoded = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.round(encoded * 255).astype(np.uint8)


def _linear(colours: Colours) -> Colours:
    return ((colours @ _FROM_OKLAB.T) ** 3) @ _FROM_CONES.T


def distances(first: Colours, second: Colours) -> Colours:
    """(n, 3) and (m, 3) -> (n, m): how different they look (ΔE OK2). 0.02 is just noticeable,
    0.1 still similar, 1 the difference between black and white."""
    apart = (first[:, None, :] - second[None, :, :]) * SCALE
    return np.sqrt((apart**2).sum(axis=2))


def cells_of(colours: Colours) -> npt.NDArray[np.int64]:
    """(n, 3) -> (n,): the number of the cell that each colour lies in. Numbers fit in a
    signed 16-bit integer."""
    steps = np.clip(np.round(colours / _STEP).astype(np.int64) + _ORIGIN, 0, _LAST)
    return np.ravel_multi_index(tuple(steps.T), _COUNTS)


@cache
def all_cells() -> tuple[npt.NDArray[np.int64], Colours]:
    """Return the numbers of all cells that overlap sRGB, and the colours in their middle."""
    steps = np.stack(np.unravel_index(np.arange(np.prod(_COUNTS)), _COUNTS), axis=1)
    middles = (steps - _ORIGIN) * _STEP
    corners = np.stack(np.meshgrid(*[[-0.5, 0, 0.5]] * 3), axis=-1).reshape(-1, 3) * _STEP
    linear = _linear(middles[:, None, :] + corners)
    shown = np.all((linear > -1e-6) & (linear < 1 + 1e-6), axis=2)
    reached = np.any(shown, axis=1)
    return np.flatnonzero(reached), middles[reached]

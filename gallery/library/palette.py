"""The dominant colours of a picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from gallery.library import oklab
from gallery.library.oklab import Colours

MOST_COLOURS = 6
LEAST_SHARE = 0.05
# Vivid colours stand out, so a smaller share is enough.
LEAST_VIVID_SHARE = 0.03
_VIVID_CHROMA = 0.1

# Colours are counted on a copy with this longest side, which averages noise away.
_SIDE = 96
# Pixels are binned into boxes of the scaled space with this side.
_BIN = 0.05
_CLUSTERS = 14
_ROUNDS = 10
# Clusters closer than this (ΔE OK2) count as one colour.
_SAME = 0.12


@dataclass(frozen=True)
class Dominant:
    """A colour in OKLab and its share of the picture, in [0, 1]."""

    colour: Colours
    share: float

    @property
    def hex(self) -> str:
        """The colour in a form like #c0392b."""
        return "#" + oklab.to_srgb(self.colour).tobytes().hex()


def dominant(picture: Image.Image) -> list[Dominant]:
    """Return up to MOST_COLOURS colours, the largest first. Each covers at least LEAST_SHARE of
    `picture`, vivid ones LEAST_VIVID_SHARE.

    `picture` is upright and opaque. The result is deterministic.
    """
    small = picture.convert("RGB")
    small.thumbnail((_SIDE, _SIDE), Image.Resampling.BOX)
    points, weights = _binned(oklab.from_srgb(np.asarray(small)).reshape(-1, 3))
    centres = _k_means(points, weights)
    shares = _shares(centres, points, weights)
    while (pair := _closest(centres)) is not None:
        centres, shares = _merged(centres, shares, *pair)
    vivid = np.hypot(centres[:, 1], centres[:, 2]) > _VIVID_CHROMA
    least = np.where(vivid, LEAST_VIVID_SHARE, LEAST_SHARE)
    order = np.argsort(-shares, kind="stable")
    kept = [at for at in order if shares[at] >= least[at]]
    return [Dominant(centres[at], float(shares[at])) for at in kept[:MOST_COLOURS]]


def _binned(pixels: Colours) -> tuple[Colours, Colours]:
    """(n, 3) pixels -> the means (m, 3) and shares (m,) of the bins."""
    lightness, a, b = np.floor(pixels * oklab.SCALE / _BIN).astype(np.int64).T
    _bins, at, counts = np.unique(
        (lightness * 1000 + a) * 1000 + b, return_inverse=True, return_counts=True
    )
    sums = [np.bincount(at, weights=axis) for axis in pixels.T]
    return np.column_stack(sums) / counts[:, None], counts / len(pixels)


def _k_means(points: Colours, weights: Colours) -> Colours:
    """Lloyd's algorithm with a deterministic start: the heaviest point, then repeatedly the
    point that is heavy and far from all chosen ones."""
    chosen = [int(weights.argmax())]
    apart = oklab.distances(points, points[chosen]).ravel()
    while len(chosen) < min(_CLUSTERS, len(points)):
        chosen.append(int((np.sqrt(weights) * apart).argmax()))
        apart = np.minimum(apart, oklab.distances(points, points[chosen[-1:]]).ravel())
    centres = points[chosen]
    for _round in range(_ROUNDS):
        nearest = oklab.distances(points, centres).argmin(axis=1)
        belongs = np.eye(len(centres))[nearest] * weights[:, None]
        mass = belongs.sum(axis=0)
        means = (belongs.T @ points) / np.maximum(mass, 1e-12)[:, None]
        centres = np.where(mass[:, None] > 0, means, centres)
    return centres


def _shares(centres: Colours, points: Colours, weights: Colours) -> Colours:
    nearest = oklab.distances(points, centres).argmin(axis=1)
    return np.bincount(nearest, weights=weights, minlength=len(centres)).astype(np.float64)


def _closest(centres: Colours) -> tuple[int, int] | None:
    """Return the two most similar centres if they count as one colour, else None."""
    apart = oklab.distances(centres, centres) + np.diag(np.full(len(centres), np.inf))
    first, second = divmod(int(apart.argmin()), len(centres))
    return (first, second) if apart[first, second] < _SAME else None


def _merged(centres: Colours, shares: Colours, first: int, second: int) -> tuple[Colours, Colours]:
    both = shares[first] + shares[second]
    parts = shares[[first, second]] / max(both, 1e-12)
    mean = parts @ centres[[first, second]]
    rest = np.delete(np.arange(len(shares)), [first, second])
    return np.vstack([centres[rest], mean]), np.append(shares[rest], both)

"""Compares the colours and brightness of two pictures by the tiny previews that pages show
first."""

from __future__ import annotations

import base64
import io

import numpy as np
import numpy.typing as npt
from PIL import Image as PILImage

Levels = npt.NDArray[np.float32]

_SIDE = 20
# A perceptual hash describes a picture's low frequencies. A plain surface or a gradient has
# hardly any, so its hash is that of its noise or of the gradient, whatever its colours are.
# Both limits are standard deviations of the brightness, on a scale of 255. _PLAIN applies to
# the residual after a fit of a second-degree surface (gradients, also round ones: 1 to 9;
# photographs mostly 10 and more), _FLAT to the brightness itself (one colour: below 1).
_PLAIN, _FLAT = 10.0, 6.0
# The largest mean differences, on a scale of 255, at which plain pictures still count as the
# same: of the colours without brightness, and for flat pictures of all channels.
_MOST_COLOUR, _MOST_LEVELS = 12.0, 20.0


def levels(placeholder: str) -> Levels:
    """Decode Image.placeholder to (20, 20, 3) float32 in 0 … 255."""
    _kind, _comma, encoded = placeholder.partition(",")
    with PILImage.open(io.BytesIO(base64.b64decode(encoded))) as preview:
        return np.asarray(preview.convert("RGB").resize((_SIDE, _SIDE)), dtype=np.float32)


def mean_difference(one: Levels, other: Levels) -> float:
    return float(np.abs(one - other).mean())


def are_told_apart_by_colour(one: Levels, other: Levels) -> bool:
    """Whether two pictures with similar hashes differ in colour, and at least one of them is so
    plain that its hash says nothing. If neither is plain, return False: another brightness or
    colour may come from editing and does not make another picture."""
    if min(_unevenness(one), _unevenness(other)) > _PLAIN:
        return False
    if mean_difference(_colours(one), _colours(other)) > _MOST_COLOUR:
        return True
    is_flat = min(float(_light(one).std()), float(_light(other).std())) <= _FLAT
    return is_flat and mean_difference(one, other) > _MOST_LEVELS


def _light(shown: Levels) -> Levels:
    return shown.mean(axis=-1)


def _colours(shown: Levels) -> Levels:
    return shown - shown.mean(axis=-1, keepdims=True)


def _surfaces() -> npt.NDArray[np.float64]:
    """(400, 6): an orthonormal basis of the surfaces of the second degree."""
    y, x = np.mgrid[0:_SIDE, 0:_SIDE].reshape(2, -1) / (_SIDE - 1) - 0.5
    return np.linalg.qr(np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=-1))[0]


_SURFACES = _surfaces()


def _unevenness(shown: Levels) -> float:
    light = _light(shown).ravel()
    return float((light - _SURFACES @ (_SURFACES.T @ light)).std())

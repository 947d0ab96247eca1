"""What the tiny previews that pages show first tell of two pictures' colours and light."""

from __future__ import annotations

import base64
import io

import numpy as np
import numpy.typing as npt
from PIL import Image as PILImage

Levels = npt.NDArray[np.float32]

_SIDE = 20
# A perceptual hash is the order of a picture's low frequencies. What has hardly any, a
# plain surface or a gradient, has the hash of its noise or of the gradient, whatever its
# colours are. Levels of brightness, of 255, as standard deviations: of what no surface of
# the second degree explains (gradients, also round ones: 1 to 9; photographs mostly 10 and
# more), and of all of it (one colour: below 1).
_PLAIN, _FLAT = 10.0, 6.0
# Mean differences of plain pictures that are still the same one, of 255: of the colours
# apart from brightness, and for flat ones of all.
_MOST_COLOUR, _MOST_LEVELS = 12.0, 20.0


def levels(placeholder: str) -> Levels:
    """(20, 20, 3) in 0 … 255 of Image.placeholder."""
    _kind, _comma, encoded = placeholder.partition(",")
    with PILImage.open(io.BytesIO(base64.b64decode(encoded))) as preview:
        return np.asarray(preview.convert("RGB").resize((_SIDE, _SIDE)), dtype=np.float32)


def mean_difference(one: Levels, other: Levels) -> float:
    return float(np.abs(one - other).mean())


def are_told_apart_by_colour(one: Levels, other: Levels) -> bool:
    """Whether at least one of two pictures of like hashes is so plain that the hash says
    nothing, and their colours differ. Light and colours of what is not plain may have been
    edited: that is no other picture."""
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

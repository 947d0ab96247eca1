"""Colour spaces given by code points, and their conversion to sRGB.

Code points are those of ITU-T H.273 (07/2024), tables 2 and 3, as in nclx (HEIF, AVIF) and
cICP (PNG). HDR curves are those of ITU-R BT.2100-3, tables 4 and 5; their white is at
203 cd/m² (ITU-R BT.2408-8, table 1).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.float32]
# x and y of white, red, green and blue.
Chromaticities = tuple[float, ...]
Curve = Callable[[Floats], Floats]

_D65, _C, _E, _DCI = (0.3127, 0.3290), (0.310, 0.316), (1 / 3, 1 / 3), (0.314, 0.351)
SRGB: Chromaticities = (*_D65, 0.640, 0.330, 0.300, 0.600, 0.150, 0.060)
_P3 = (0.680, 0.320, 0.265, 0.690, 0.150, 0.060)
_SMPTE = (*_D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070)
PRIMARIES: dict[int, Chromaticities] = {
    1: SRGB,
    4: (*_C, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08),
    5: (*_D65, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06),
    6: _SMPTE,
    7: _SMPTE,
    8: (*_C, 0.681, 0.319, 0.243, 0.692, 0.145, 0.049),
    9: (*_D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    10: (*_E, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0),
    11: (*_DCI, *_P3),
    12: (*_D65, *_P3),
    22: (*_D65, 0.630, 0.340, 0.295, 0.605, 0.155, 0.077),
}
# Most programs write the curves of SDR video (BT.709, BT.601, xvYCC, BT.2020) for pictures that
# are sRGB. On a display (BT.1886) these curves hardly differ from sRGB.
_LIKE_SRGB = {1, 6, 7, 11, 12, 13, 14, 15}
PQ, HLG = 16, 18
_UNSPECIFIED = 2

_HDR_WHITE = 203.0
_HLG_PEAK = 1000.0
_HLG_GAMMA = 1.2
# Where highlights of HDR begin to be compressed, as a share of white.
_KNEE = 0.8
# Bradford (ICC.1:2022, annex E.3).
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
_ROWS = 64 * 1024


def srgb_curve(value: Floats) -> Floats:
    """Samples in [0, 1] -> linear light. IEC 61966-2-1."""
    high = ((np.maximum(value, 0) + 0.055) / 1.055) ** 2.4
    return np.where(value <= 0.04045, value / 12.92, high).astype(np.float32)


def power(exponent: float) -> Curve:
    return lambda value: (value**exponent).astype(np.float32)


def _pq(value: Floats) -> Floats:
    """Samples in [0, 1] -> light, white being 1. BT.2100-3, table 4: EOTF of PQ."""
    m1, m2 = 2610 / 16384, 2523 / 4096 * 128
    c1, c2, c3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
    root = value ** (1 / m2)
    light = (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1)
    return (10_000 / _HDR_WHITE * light).astype(np.float32)


def _hlg(value: Floats) -> Floats:
    """Samples in [0, 1] -> scene light in [0, 1]. BT.2100-3, table 5: inverse OETF of HLG."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    high = (np.exp((value - c) / a) + b) / 12
    return np.where(value <= 0.5, value**2 / 3, high).astype(np.float32)


def _logarithmic(decades: float) -> Curve:
    return lambda value: np.where(value > 0, 10 ** (decades * (value - 1)), 0).astype(np.float32)


def _cinema(value: Floats) -> Floats:
    """Samples in [0, 1] -> light. White has 48 of 52.37 cd/m² (SMPTE ST 428-1)."""
    return (52.37 / 48 * value**2.6).astype(np.float32)


CURVES: dict[int, Curve] = {
    **dict.fromkeys(_LIKE_SRGB, srgb_curve),
    4: power(2.2),
    5: power(2.8),
    8: power(1.0),
    9: _logarithmic(2.0),
    10: _logarithmic(2.5),
    PQ: _pq,
    17: _cinema,
    HLG: _hlg,
}


@dataclass(frozen=True)
class Space:
    """What RGB samples mean. `is_narrow`: black is at 16 and white at 235 (of 255)."""

    primaries: Chromaticities = SRGB
    curve: Curve = srgb_curve
    is_narrow: bool = False

    @property
    def is_hdr(self) -> bool:
        return self.curve in (_pq, _hlg)

    @property
    def is_srgb(self) -> bool:
        return self == Space()

    def to_srgb(self, tile: Image.Image) -> Image.Image:
        """RGB of this space -> RGB of sRGB."""
        light, matrix = self._light(), _matrix(self.primaries)
        pixels = np.asarray(tile.convert("RGB")).reshape(-1, 3)
        result = np.empty_like(pixels)
        for start in range(0, len(pixels), _ROWS):
            linear = light[pixels[start : start + _ROWS]]
            if self.curve is _hlg:
                linear = _hlg_ootf(linear, _luminance(self.primaries))
            linear = linear @ matrix.T
            if self.is_hdr:
                linear = _tone_mapped(linear)
            result[start : start + _ROWS] = _encoded(linear)
        return Image.fromarray(result.reshape(tile.height, tile.width, 3))

    def _light(self) -> Floats:
        """Return the linear light of each of the 256 sample values."""
        value = np.arange(256, dtype=np.float32) / 255
        if self.is_narrow:
            value = np.clip((value * 255 - 16) / 219, 0, 1)
        return self.curve(value.astype(np.float32))


def of_code_points(primaries: int, transfer: int, *, is_narrow: bool = False) -> Space | None:
    """Return the space, or None if nothing is specified or a code point is unknown. Unspecified
    primaries are those of BT.2020 for HDR, else those of sRGB; an unspecified curve is that of
    sRGB."""
    if primaries not in {*PRIMARIES, _UNSPECIFIED} or transfer not in {*CURVES, _UNSPECIFIED}:
        return None
    if primaries == transfer == _UNSPECIFIED and not is_narrow:
        return None
    default = 9 if transfer in (PQ, HLG) else 1
    return Space(
        PRIMARIES.get(primaries, PRIMARIES[default]), CURVES.get(transfer, srgb_curve), is_narrow
    )


def are_usable(primaries: Chromaticities) -> bool:
    """Return whether the primaries form a triangle with white inside, so that colours can be
    computed."""
    if len(primaries) != 8 or min(primaries[1::2]) < 0 or primaries[1] <= 0:
        return False
    if max(primaries) > 2:
        return False
    try:
        return bool((_scales(primaries) > 1e-4).all())
    except np.linalg.LinAlgError:
        return False


def _tone_mapped(linear: Floats) -> Floats:
    """Leave light up to _KNEE unchanged and compress light above it to stay below 1. The
    largest channel decides, which keeps hue and saturation (as in BT.2446-1, method B)."""
    most = np.maximum(linear.max(axis=1, keepdims=True), 1e-6)
    over = np.maximum(most - _KNEE, 0) / (1 - _KNEE)
    lower = np.where(most > _KNEE, _KNEE + (1 - _KNEE) * over / (1 + over), most)
    return linear * (lower / most)


def _hlg_ootf(scene: Floats, luminance: Floats) -> Floats:
    """Scene light -> display light, white being 1. BT.2100-3: OOTF of HLG."""
    bright = np.maximum(scene @ luminance, 1e-9)[:, None]
    return (_HLG_PEAK / _HDR_WHITE * bright ** (_HLG_GAMMA - 1) * scene).astype(np.float32)


def _encoded(linear: Floats) -> NDArray[np.uint8]:
    """Linear light -> samples of sRGB. IEC 61966-2-1."""
    light = np.clip(linear, 0, 1)
    value = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return (value * 255 + 0.5).astype(np.uint8)


def _scales(primaries: Chromaticities) -> NDArray[np.float64]:
    """Return how much of each primary makes white."""
    return np.asarray(np.linalg.solve(_columns(primaries), _xyz(*primaries[:2])), np.float64)


def _columns(primaries: Chromaticities) -> NDArray[np.float64]:
    rgb = zip(primaries[2::2], primaries[3::2], strict=True)
    return np.array([(x, y, 1 - x - y) for x, y in rgb]).T


def _xyz(x: float, y: float) -> NDArray[np.float64]:
    return np.array([x / y, 1, (1 - x - y) / y])


def _to_xyz(primaries: Chromaticities) -> NDArray[np.float64]:
    """SMPTE RP 177: linear RGB -> XYZ."""
    return _columns(primaries) * _scales(primaries)


def _luminance(primaries: Chromaticities) -> Floats:
    return np.asarray(_to_xyz(primaries)[1], np.float32)


def _matrix(primaries: Chromaticities) -> Floats:
    """Linear RGB of these primaries -> linear RGB of sRGB, white to white."""
    cones = [_BRADFORD @ _xyz(*space[:2]) for space in (primaries, SRGB)]
    adapted = np.linalg.inv(_BRADFORD) @ np.diag(cones[1] / cones[0]) @ _BRADFORD
    found: Any = np.linalg.inv(_to_xyz(SRGB)) @ adapted @ _to_xyz(primaries)
    return np.asarray(found, np.float32)

"""The colour space of a picture's samples, and their conversion to sRGB.

In PNG, cICP takes precedence over iCCP, iCCP over sRGB, and sRGB over gAMA and cHRM (PNG, third
edition, 4.3). In HEIF and AVIF, a profile takes precedence over nclx, whose code points then
only describe luma and chroma (ISO/IEC 23000-22, 7.3.6.4).
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable, Mapping
from typing import Any

from PIL import Image, ImageChops, ImageCms

from gallery.pixels import code_points
from gallery.pixels.code_points import Curve, Space

Convert = Callable[[Image.Image], Image.Image]

# Colours from the whole RGB cube, and the largest change of a sample that nobody sees.
_LEVELS = range(0, 256, 51)
_PROBE = Image.frombytes(
    "RGB", (36, 6), bytes(sample for rgb in itertools.product(_LEVELS, repeat=3) for sample in rgb)
)
_UNSEEN = 2

MOST_PROFILE = 4 * 1024**2
# Mode of the samples -> the colour space's name in a profile (ICC.1:2022, table 19).
_SPACES = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK"}
# Programs write 1/2.2 for sRGB: 0.45455, sometimes rounded.
_LIKE_SRGB = (0.44, 0.47)
_LEAST_GAMMA, _MOST_GAMMA = 0.1, 3.0


def to_srgb(info: Mapping[Any, Any], mode: str) -> Convert | None:
    """Return a function that converts opaque tiles of mode L, RGB or CMYK to RGB in sRGB, or
    None if they count as sRGB. `info` is that of a picture opened by `opening`."""
    cicp = info.get("cicp")
    if cicp and mode != "CMYK" and (space := _of_cicp(cicp)) is not None:
        return _unless_srgb(space)
    if (transform := _of_profile(info.get("icc_profile"), mode)) is not None:
        return None if _changes_nothing(transform, mode) else transform
    if mode == "CMYK":
        return None
    if nclx := info.get("nclx_profile"):
        space = code_points.of_code_points(
            nclx["color_primaries"], nclx["transfer_characteristics"]
        )
        return _unless_srgb(space)
    if "srgb" in info:
        return None
    return _unless_srgb(_of_gamma(info.get("gamma"), info.get("chromaticity")))


def _unless_srgb(space: Space | None) -> Convert | None:
    return None if space is None or space.is_srgb else space.to_srgb


def _of_cicp(cicp: tuple[int, ...]) -> Space | None:
    """Return the space of cICP. None unless the matrix is 0 (RGB), the only value that is
    allowed in PNG (third edition, 11.3.2.6)."""
    primaries, transfer, matrix, full_range = cicp
    if matrix != 0 or full_range > 1:
        return None
    return code_points.of_code_points(primaries, transfer, is_narrow=full_range == 0)


def _of_gamma(gamma: float | None, chromaticity: tuple[float, ...] | None) -> Space | None:
    """Return the space of gAMA and cHRM. `gamma` is the exponent from light to samples."""
    curve: Curve = code_points.srgb_curve
    is_like_srgb = gamma is None or _LIKE_SRGB[0] <= gamma <= _LIKE_SRGB[1]
    if gamma and not is_like_srgb and _LEAST_GAMMA <= gamma <= _MOST_GAMMA:
        curve = code_points.power(1 / gamma)
    primaries = code_points.SRGB
    if chromaticity and code_points.are_usable(chromaticity):
        near = zip(chromaticity, code_points.SRGB, strict=True)
        if any(abs(one - other) > 0.002 for one, other in near):
            primaries = chromaticity
    return Space(primaries, curve)


def _changes_nothing(transform: Convert, mode: str) -> bool:
    """Return whether a profile is that of sRGB, as most are. Pixels then need no conversion."""
    if mode == "CMYK":
        return False
    probe = _PROBE.convert(mode)
    changes = ImageChops.difference(transform(probe), probe.convert("RGB"))
    return max(changes.tobytes()) <= _UNSEEN


def _of_profile(profile: Any, mode: str) -> Convert | None:
    """Return the conversion by a profile, or None if the profile is absent, broken or of
    another colour space."""
    if not isinstance(profile, bytes) or not 128 < len(profile) <= MOST_PROFILE:
        return None
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        space = source.profile.xcolor_space.strip()
        if mode == "L" and space == "RGB":
            mode = "RGB"
        if _SPACES.get(mode) != space:
            return None
        target = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
        transform = ImageCms.buildTransform(source, target, mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None

    def convert(tile: Image.Image) -> Image.Image:
        prepared = tile if tile.mode == mode else tile.convert(mode)
        return ImageCms.applyTransform(prepared, transform) or tile.convert("RGB")

    return convert

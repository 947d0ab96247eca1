"""The pixels of renditions: WebP in sRGB, upright, without any metadata.

Transparency lies over white, as the encoder sees it.
"""

from __future__ import annotations

import base64
import io
import math
from typing import IO

from PIL import Image, ImageCms, ImageFilter

from gallery.encoders.decode import open_upright, to_rgb

_MAX_SIDE = 16_383  # of WebP
_PLACEHOLDER_SIDE = 20
# Modes that can be reduced, and brought to sRGB, before they are converted.
_PLAIN_MODES = {"L", "RGB", "RGBA", "CMYK"}


class Undecodable(Exception):
    """The bytes are there, but no picture can be made of them."""


def decode(file: IO[bytes], size: tuple[int, int], width: int | None) -> Image.Image:
    """sRGB pixels, at least `width` wide if the picture is (None: all there are).

    `size` is that of the upright picture. Raises Undecodable.
    """
    shortest = min(size)
    if width is not None and width < size[0]:
        shortest = math.ceil(shortest * width / size[0])
    try:
        picture = open_upright(file, min_short_side=shortest)
        factor = min(picture.size) // shortest
        if factor > 1 and picture.mode in _PLAIN_MODES:
            picture = picture.reduce(factor)
        picture = to_rgb(_in_srgb(picture))
    except MemoryError:
        raise
    except Exception as error:  # decoders fed with hostile bytes raise anything at all
        raise Undecodable(f"{type(error).__name__}: {error}") from error
    picture.info = {}  # nothing of it is to be written
    return picture


def _in_srgb(picture: Image.Image) -> Image.Image:
    """Converted where the picture carries a usable colour profile of its own."""
    profile = picture.info.get("icc_profile")
    if not profile or picture.mode not in _PLAIN_MODES:
        return picture
    output = "RGBA" if picture.mode == "RGBA" else "RGB"
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        target = ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(picture, source, target, outputMode=output) or picture
    except (ImageCms.PyCMSError, OSError, ValueError):
        # A broken profile, or one of another colour space than the pixels.
        return picture


def fitted(picture: Image.Image, original: tuple[int, int], width: int | None) -> Image.Image:
    """As wide as `width` (None: as the original), but no side longer than WebP allows
    and never enlarged. The proportions are those of the `original` size."""
    scale = min(1.0, (width or original[0]) / original[0], _MAX_SIDE / max(original))
    size = (max(1, round(original[0] * scale)), max(1, round(original[1] * scale)))
    if picture.size == size:
        return picture
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def webp(picture: Image.Image, width: int | None) -> bytes:
    """The full size (None) is kept a little better than the smaller ones."""
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=90 if width is None else 80, method=4)
    return buffer.getvalue()


def placeholder(picture: Image.Image) -> str:
    """A data URI of a tiny blurred copy, shown until the real one is there."""
    tiny = picture.copy()
    tiny.thumbnail((_PLACEHOLDER_SIDE, _PLACEHOLDER_SIDE))
    buffer = io.BytesIO()
    tiny.filter(ImageFilter.GaussianBlur(1)).save(buffer, "WEBP", quality=30, method=6)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")

"""From a file to the pixels that an encoder sees.

The same functions prepare stored pictures, query pictures and renditions, so
that a picture and its copy used as a query meet at the same vector.
"""

from __future__ import annotations

import io
from typing import IO

import numpy as np
from django.conf import settings
from PIL import Image
from PIL.ExifTags import Base
from pillow_heif import register_heif_opener

# A short side of 448 px (twice the usual model input) keeps the cosine to the
# full decode above .9999 and decodes a 12 MP JPEG about five times faster.
MIN_SHORT_SIDE = 448

# The only decoders that a file from outside may reach. JPEG's also opens MPO.
FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "HEIF", "GIF", "TIFF", "BMP")

# EXIF orientation -> what makes the picture upright. Pillow's own exif_transpose
# also writes the EXIF again, and fails where it is broken.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

register_heif_opener()
Image.init()
# The limit is the installation's: Pillow's own would refuse what it accepts.
Image.MAX_IMAGE_PIXELS = settings.MAX_PIXELS


def open_picture(file: IO[bytes]) -> Image.Image:
    """Open lazily, with the accepted formats alone. Raises what Pillow raises."""
    file.seek(0)
    return Image.open(file, formats=FORMATS)


def open_upright(file: IO[bytes], min_short_side: int = MIN_SHORT_SIDE) -> Image.Image:
    """The first frame, EXIF orientation applied, in whatever mode the file has.

    JPEG is decoded at the smallest scale whose short side still reaches
    `min_short_side` pixels. Raises OSError for a damaged file.
    """
    image = open_picture(file)
    if image.format in ("JPEG", "MPO"):
        width, height = image.size
        factor = max(1.0, min(width, height) / min_short_side)
        image.draft(None, (int(width / factor), int(height / factor)))
    image.load()
    turn = _TURNS.get(orientation_of(image))
    return image if turn is None else image.transpose(turn)


def orientation_of(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; 1 (upright) where it is absent or broken."""
    try:
        orientation = image.getexif().get(Base.Orientation, 1)
    except Exception:  # the parser raises anything at all for broken EXIF
        return 1
    return orientation if orientation in _TURNS else 1


def to_rgb(image: Image.Image) -> Image.Image:
    """Any mode -> RGB: transparency over white, 16-bit and float scaled to 8 bits."""
    if image.mode == "RGB":
        return image
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        return _deep_grey_to_rgb(image)
    if image.has_transparency_data:
        # Convert before compositing: a palette has no alpha channel to paste with.
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(white, rgba).convert("RGB")
    return image.convert("RGB")


def _deep_grey_to_rgb(image: Image.Image) -> Image.Image:
    """Pillow clips deep modes to 255 when it converts; scale to the range instead."""
    values = np.nan_to_num(np.asarray(image, dtype=np.float64))
    if image.mode.startswith("I;16") or (image.mode == "I" and values.max(initial=0) > 255):
        white = 65535.0 if values.max(initial=0) <= 65535 else values.max()
    else:
        white = max(float(values.max(initial=0)), 1.0) if image.mode == "F" else 255.0
    scaled = np.clip(values / white * 255.0, 0, 255).astype(np.uint8)
    return Image.fromarray(scaled).convert("RGB")


def decode_rgb(file: IO[bytes]) -> Image.Image:
    """What an encoder is given: upright RGB, its short side reduced to 448 to 895 px
    (smaller pictures are left as they are). Raises OSError for a damaged file."""
    image = to_rgb(open_upright(file))
    factor = min(image.size) // MIN_SHORT_SIDE
    return image.reduce(factor) if factor > 1 else image


def pack(image: Image.Image) -> bytes:
    """RGB -> lossless bytes that travel to the worker (PNG at the fastest setting)."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def unpack(data: bytes) -> Image.Image:
    """The inverse of `pack`."""
    image = Image.open(io.BytesIO(data), formats=("PNG",))
    image.load()
    return image

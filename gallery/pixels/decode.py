"""From a file to RGB pixels, in memory that is known before.

The same functions prepare stored pictures, query pictures and renditions, so that a
picture and its copy used as a query meet at the same vector. Nothing here knows Django:
large pictures are decoded in a process of their own (`isolation`).

What a file is decoded to is at most four bytes a pixel. All else, conversions above all,
happens a tile at a time and to reduced pixels where the mode allows it, so that no second
copy of all pixels is ever made.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from typing import IO

import numpy as np
from PIL import Image, ImageCms, PngImagePlugin
from PIL.ExifTags import Base
from pillow_heif import register_heif_opener

from gallery.pixels import webp

# A short side of 448 px (twice the usual model input) keeps the cosine to the
# full decode above .9999 and decodes a 12 MP JPEG about five times faster.
MIN_SHORT_SIDE = 448
# An encoder brings the short side to its own size and looks at the middle: of a picture
# of 1 x 20,000 pixels it would make one of 224 x 4,480,000 first. No side is given to it
# that is longer than so many times the other.
MAX_RATIO = 20

# The only decoders that a file from outside may reach. JPEG's also opens MPO.
FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "HEIF", "GIF", "TIFF", "BMP")

# EXIF orientation -> what makes the picture upright. Pillow's own exif_transpose
# also writes the EXIF again, and fails where it is broken.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# Modes whose pixels can be averaged before they are converted.
_PLAIN_MODES = {"L", "RGB", "CMYK"}
# Modes in which a colour profile can be applied.
_PROFILED_MODES = {"L", "RGB", "RGBA", "CMYK"}
# Pixels of a tile: conversions hold up to 24 bytes for each.
_TILE_PIXELS = 500_000

register_heif_opener()
Image.init()
# Pixels and bytes are counted before (`header`), by limits of our own.
Image.MAX_IMAGE_PIXELS = None
# Of all texts of a PNG together, in characters: each may take four bytes, and all that we
# read of them is the EXIF that some programs put there.
PngImagePlugin.MAX_TEXT_MEMORY = 4 * 1024**2

Convert = Callable[[Image.Image], Image.Image]


def open_picture(file: IO[bytes]) -> Image.Image:
    """Open lazily, with the accepted formats alone. Raises what Pillow raises."""
    file.seek(0)
    return Image.open(file, formats=FORMATS)


def orientation_of(image: Image.Image, file: IO[bytes]) -> int:
    """The EXIF orientation, 1 to 8; 1 (upright) where it is absent or broken."""
    try:
        orientation = exif_of(image, file).get(Base.Orientation, 1)
    except Exception:  # the parser raises anything at all for broken EXIF
        return 1
    return orientation if orientation in TURNS else 1


def exif_of(image: Image.Image, file: IO[bytes]) -> Image.Exif:
    """The EXIF of `image`, which was opened from `file`. Raises anything at all for broken
    EXIF."""
    # PNG's own getexif decodes the whole picture in case the EXIF stands behind the pixels.
    exif = Image.Image.getexif(image)
    if image.format == "PNG" and not exif and (block := _late_exif(file)):
        exif.load(block)
    return exif


def _late_exif(file: IO[bytes]) -> bytes:
    """The content of a PNG's first chunk eXIf, wherever it stands."""
    file.seek(8)
    while len(start := file.read(8)) == 8:
        length, kind = int.from_bytes(start[:4], "big"), start[4:]
        if kind == b"eXIf":
            return file.read(length)
        file.seek(length + 4, os.SEEK_CUR)
    return b""


def load(file: IO[bytes], shrink: float) -> tuple[Image.Image, int]:
    """The first frame with all its pixels, in whatever mode the file has, and the EXIF
    orientation that is still to be applied (Pillow itself turns TIFF).

    JPEG and WebP are decoded smaller where their decoders can do so, yet no side by more
    than `shrink`. Raises what decoders raise, OSError in most cases."""
    file.seek(0)
    if webp.is_webp(file.read(webp.HEAD)):
        file.seek(0)
        return webp.load(file.read(), shrink)
    image = open_picture(file)
    if image.format in ("JPEG", "MPO"):
        width, height = (max(1, int(side / shrink)) for side in image.size)
        image.draft(None, (width, height))
    orientation = 1 if image.format == "TIFF" else orientation_of(image, file)
    image.load()
    return image, orientation


def decode(file: IO[bytes], shrink: float = 1.0, *, managed: bool = False) -> Image.Image:
    """Upright RGB over white, each side divided by a whole number up to `shrink` (1 and
    more) or, where the decoder itself shrinks, by `shrink`.

    `managed`: to sRGB by the colour profile of the file, where it has a usable one.
    Raises what decoders raise.
    """
    shrink = max(1.0, shrink)
    size = _size_of(file)
    image, orientation = load(file, shrink)
    left = shrink * min(image.width / size[0], image.height / size[1])
    image = _in_tiles(image, max(1, int(left + 1e-6)), managed)
    return _upright(image, orientation)


def decode_rgb(file: IO[bytes]) -> Image.Image:
    """What an encoder is given: upright RGB, its short side reduced to 448 to 895 px
    (smaller pictures are left as they are), the middle of very long pictures. Raises
    what decoders raise."""
    shrink = max(1.0, min(_size_of(file)) / MIN_SHORT_SIDE)
    image, orientation = load(file, shrink)
    image = middle(image)
    return _upright(_in_tiles(image, max(1, min(image.size) // MIN_SHORT_SIDE)), orientation)


def decode_part(file: IO[bytes], part: tuple[float, float, float, float]) -> Image.Image:
    """The same of a part of a picture, told as shares of its upright width and height:
    left, top, width, height."""
    left, top, width, height = part
    shrink = min(_size_of(file)) * min(width, height) / MIN_SHORT_SIDE
    image = decode(file, shrink)
    edges = (left, top, left + width, top + height)
    pixels = [
        round(share * side) for share, side in zip(edges, (*image.size, *image.size), strict=True)
    ]
    cut = middle(image.crop(_at_least_one_pixel(pixels, image.size)))
    factor = min(cut.size) // MIN_SHORT_SIDE
    return cut.reduce(factor) if factor > 1 else cut


def middle(image: Image.Image) -> Image.Image:
    """Without the ends of a side that is more than MAX_RATIO times the other."""
    most = MAX_RATIO * min(image.size)
    width, height = min(image.width, most), min(image.height, most)
    if (width, height) == image.size:
        return image
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))


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


# --- A tile at a time -------------------------------------------------------------


def _in_tiles(image: Image.Image, factor: int, managed: bool = False) -> Image.Image:
    """RGB, each side `factor` times smaller (rounded up)."""
    convert = _conversion(image, managed)
    if image.mode == "RGB" and convert is _over_white and not image.has_transparency_data:
        return image.reduce(factor) if factor > 1 else image
    reduces_first = image.mode in _PLAIN_MODES and not image.has_transparency_data
    result = Image.new("RGB", (-(-image.width // factor), -(-image.height // factor)))
    for box in _tiles(image.size, factor):
        tile = image.crop(box)
        if factor > 1 and reduces_first:
            tile = convert(tile.reduce(factor))
        else:
            tile = convert(tile)
            tile = tile.reduce(factor) if factor > 1 else tile
        result.paste(tile, (box[0] // factor, box[1] // factor))
    return result


def _tiles(size: tuple[int, int], factor: int) -> Iterator[tuple[int, int, int, int]]:
    """Boxes that cover `size`, their edges at multiples of `factor`."""
    columns = max(1, min(size[0], _TILE_PIXELS) // factor) * factor
    rows = max(1, _TILE_PIXELS // columns // factor) * factor
    for top in range(0, size[1], rows):
        for left in range(0, size[0], columns):
            yield left, top, min(left + columns, size[0]), min(top + rows, size[1])


def _conversion(image: Image.Image, managed: bool) -> Convert:
    """What makes RGB of each tile of `image`."""
    if image.mode.startswith("I;16"):
        return _grey_scaled(65535.0)
    if image.mode in ("I", "F"):
        return _grey_scaled(_white_of(image))
    transform = _to_srgb(image) if managed else None
    if transform is None:
        return _over_white
    return lambda tile: _over_white(ImageCms.applyTransform(tile, transform) or tile)


def _over_white(image: Image.Image) -> Image.Image:
    if image.has_transparency_data:
        # Convert before compositing: a palette has no alpha channel to paste with.
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(white, rgba).convert("RGB")
    return image.convert("RGB")


def _grey_scaled(white: float) -> Convert:
    """Pillow clips deep modes to 255 when it converts; `white` becomes 255 instead."""

    def convert(tile: Image.Image) -> Image.Image:
        values = np.nan_to_num(np.asarray(tile, dtype=np.float32), posinf=white)
        shares = np.clip(values, 0, white) / white
        return Image.fromarray((shares * 255.0).astype(np.uint8)).convert("RGB")

    return convert


def _white_of(image: Image.Image) -> float:
    """The value that is shown as white: of integers 255, 65,535 or the greatest, whichever
    suffices; of floats the greatest, yet at least 1."""
    greatest = 0.0
    for box in _tiles(image.size, 1):
        values = np.asarray(image.crop(box))
        finite = values[np.isfinite(values)] if image.mode == "F" else values
        greatest = max(greatest, float(finite.max(initial=0)))
    if image.mode == "F":
        return max(greatest, 1.0)
    return 255.0 if greatest <= 255 else max(greatest, 65535.0)


def _to_srgb(image: Image.Image) -> ImageCms.ImageCmsTransform | None:
    """Where the picture carries a usable colour profile of its own."""
    profile = image.info.get("icc_profile")
    if not profile or image.mode not in _PROFILED_MODES:
        return None
    output = "RGBA" if image.mode == "RGBA" else "RGB"
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        target = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
        return ImageCms.buildTransform(source, target, image.mode, output)
    except (ImageCms.PyCMSError, OSError, ValueError):
        # A broken profile, or one of another colour space than the pixels.
        return None


# --- Sizes ------------------------------------------------------------------------


def _size_of(file: IO[bytes]) -> tuple[int, int]:
    """Of the picture as it is stored."""
    file.seek(0)
    if size := webp.size_of(file.read(webp.HEAD)):
        return size
    return open_picture(file).size


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    turn = TURNS.get(orientation)
    return image if turn is None else image.transpose(turn)


def _at_least_one_pixel(pixels: list[int], size: tuple[int, int]) -> tuple[int, int, int, int]:
    left, top, right, bottom = pixels
    left, top = min(left, size[0] - 1), min(top, size[1] - 1)
    return left, top, min(max(right, left + 1), size[0]), min(max(bottom, top + 1), size[1])

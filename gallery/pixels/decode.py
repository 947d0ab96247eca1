"""Decodes files to RGB pixels, with memory that is known in advance.

The same functions prepare stored pictures, query pictures and renditions, so that a picture
and a copy of it used as a query get the same vector. Nothing here imports Django: large
pictures are decoded in a separate process (`isolation`).

Decoded files take at most four bytes a pixel. All other steps, conversions above all, work on
one tile at a time, and on reduced pixels where the mode allows it, so that no second copy of
all pixels is ever made.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import IO, NamedTuple

import numpy as np
from PIL import Image

from gallery.pixels import colour, deep, endings, ground, interlaced, keys, opening, png, webp
from gallery.pixels.opening import TURNS, open_pixels, orientation_of
from gallery.pixels.recipe import ORIGINAL, WHOLE, Box, Recipe, in_pixels

# A short side of 448 px (twice the usual model input) keeps the cosine to the
# full decode above .9999 and decodes a 12 MP JPEG about five times faster.
MIN_SHORT_SIDE = 448
# An encoder scales the short side to its own size and then crops the middle: 1 x 20,000 pixels
# would first become 224 x 4,480,000. It never gets a side longer than this multiple of the
# other.
MAX_RATIO = 20

# Modes whose pixels can be averaged before they are converted.
_PLAIN_MODES = {"L", "RGB", "CMYK"}
# Modes that are grey without their transparency.
_GREY_MODES = {"1", "L", "LA", "La", *deep.MODES}
# Pixels of a tile. Conversions take up to 24 bytes for each.
_TILE_PIXELS = 500_000

# Middle values, with which the decoder fills the missing part of a JPEG (of CMYK, too).
_FILLED = (127, 128)
# The least share of a JPEG that must be left, and the side in pixels on which it is measured.
_LEAST_LEFT, _LOOKED_AT = 0.005, 64

Convert = Callable[[Image.Image], Image.Image]


class Loaded(NamedTuple):
    """The first frame with all its pixels, in the mode of the file, and the EXIF orientation
    that is still to be applied (Pillow itself applies that of TIFF). `incomplete`: the file is
    truncated, and missing pixels are grey or empty."""

    image: Image.Image
    orientation: int = 1
    incomplete: bool = False


def load(file: IO[bytes], shrink: float) -> Loaded:
    """Decode a file. The decoders of JPEG and WebP may reduce each side, by `shrink` at most.

    Raises what decoders raise, OSError in most cases, for a damaged picture and for a truncated
    one without any pixels."""
    file.seek(0)
    if webp.is_webp(file.read(webp.HEAD)):
        image, orientation = webp.load(file, shrink)
        return Loaded(image, orientation, endings.lacks_end(file))
    image = open_pixels(file)
    if image.format == "JPEG":
        _draft(image, shrink)
    orientation = 1 if image.format == "TIFF" else orientation_of(image, file)
    passes = interlaced.passes_of(image)
    try:
        image.load()
    except MemoryError:  # which is never the picture's fault
        raise
    except Exception as error:  # decoders raise anything at all
        failed_to_read = isinstance(error, OSError) and error.errno is not None
        if failed_to_read or not endings.is_cut_off(file):
            raise
        left = _what_is_left(image, file, shrink, passes)
        return Loaded(left, orientation, incomplete=True)
    incomplete = image.format == "PNG" and _ends_early(image, file)
    if incomplete and passes:
        image = interlaced.filled(image, passes)
    image = keys.with_alpha(image, file, _tiles(image.size, 1))
    return Loaded(image, orientation, incomplete)


def _draft(image: Image.Image, shrink: float) -> None:
    width, height = (max(1, int(side / shrink)) for side in image.size)
    image.draft(None, (width, height))


def _ends_early(image: Image.Image, file: IO[bytes]) -> bool:
    """Return whether a PNG has fewer rows than it declares. Pillow accepts this and leaves the
    rows 0. Everything is decompressed once more only if the last rows are 0."""
    rows = image.crop((0, max(0, image.height - 2), *image.size))
    return rows.getbbox(alpha_only=False) is None and png.is_short(file)


def _what_is_left(
    image: Image.Image, file: IO[bytes], shrink: float, passes: tuple[interlaced.Pass, ...]
) -> Image.Image:
    """Return what can be decoded of a truncated picture. Raises OSError if that is nothing."""
    if image.format == "JPEG":
        # A JPEG of several scans gives no pixels before its end marker.
        image = opening.open_jpeg_with_end(file)
        _draft(image, shrink)
        image.load()
        nothing = _share_unlike(_FILLED, image) < _LEAST_LEFT
    else:
        # The decoder has written the pixels before the fault.
        image.tile = []  # type: ignore[attr-defined]
        image.load()
        nothing = image.getbbox() is None
        image = interlaced.filled(image, passes)
    if nothing:
        raise OSError("no pixels")
    return image


def _share_unlike(filling: tuple[int, ...], image: Image.Image) -> float:
    """Return the share of pixels with a sample that is not in `filling`."""
    few = image.resize((_LOOKED_AT, _LOOKED_AT), Image.Resampling.NEAREST)
    samples = np.asarray(few).reshape(_LOOKED_AT**2, -1)
    return float((~np.isin(samples, filling)).any(axis=1).mean())


def decode(file: IO[bytes], shrink: float = 1.0, recipe: Recipe = ORIGINAL) -> Image.Image:
    """Return upright RGB in sRGB, over a background that makes transparent pictures visible,
    turned and cropped by `recipe`. Each side is divided by a whole number up to `shrink` (1 and
    more) or, if the decoder itself shrinks, by `shrink`.

    Raises what decoders raise.
    """
    shrink = max(1.0, shrink)
    size = _size_of(file)
    image, orientation, _incomplete = load(file, shrink)
    left = shrink * min(image.width / size[0], image.height / size[1])
    return recipe.apply(_upright(_in_tiles(image, max(1, int(left + 1e-6))), orientation))


def decode_rgb(file: IO[bytes], recipe: Recipe = ORIGINAL) -> Image.Image:
    """Return the input of an encoder: upright RGB, its short side reduced to 448 to 895 px
    (smaller pictures stay as they are), only the middle of very long pictures. Raises what
    decoders raise."""
    if not recipe.is_empty:
        return decode_part(file, WHOLE, recipe)
    shrink = max(1.0, min(_size_of(file)) / MIN_SHORT_SIDE)
    image, orientation, _incomplete = load(file, shrink)
    image = middle(image)
    return _upright(_in_tiles(image, max(1, min(image.size) // MIN_SHORT_SIDE)), orientation)


def decode_part(file: IO[bytes], part: Box, recipe: Recipe = ORIGINAL) -> Image.Image:
    """Return the same for a part of a picture, given as shares of its width and height after
    `recipe`: left, top, width, height."""
    cropped = min(_size_of(file)) * min(recipe.crop[2:])
    image = decode(file, cropped * min(part[2:]) / MIN_SHORT_SIDE, recipe)
    cut = middle(image.crop(in_pixels(part, image.size)))
    factor = min(cut.size) // MIN_SHORT_SIDE
    return cut.reduce(factor) if factor > 1 else cut


def middle(image: Image.Image) -> Image.Image:
    """Cut the ends off a side that is more than MAX_RATIO times the other."""
    most = MAX_RATIO * min(image.size)
    width, height = min(image.width, most), min(image.height, most)
    if (width, height) == image.size:
        return image
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))


def pack(image: Image.Image) -> bytes:
    """RGB -> lossless bytes to send to the worker (PNG at the fastest setting)."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def unpack(data: bytes) -> Image.Image:
    """The inverse of `pack`."""
    image = Image.open(io.BytesIO(data), formats=("PNG",))
    image.load()
    return image


# --- A tile at a time -------------------------------------------------------------


def _in_tiles(image: Image.Image, factor: int) -> Image.Image:
    """Convert to RGB in sRGB, each side `factor` times smaller (rounded up)."""
    opaque, mode = _opaque(image)
    to_srgb = colour.to_srgb(image.info, mode)
    if opaque is None and mode == "RGB" and to_srgb is None:
        return image.reduce(factor) if factor > 1 else image
    result = Image.new("RGB", (-(-image.width // factor), -(-image.height // factor)))
    for box in _tiles(image.size, factor):
        tile = image.crop(box)
        tile = opaque(tile) if opaque else tile
        tile = tile.reduce(factor) if factor > 1 else tile
        tile = to_srgb(tile) if to_srgb else tile.convert("RGB")
        result.paste(tile, (box[0] // factor, box[1] // factor))
    return result


def _tiles(size: tuple[int, int], factor: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield boxes that cover `size`, with edges at multiples of `factor`."""
    columns = max(1, min(size[0], _TILE_PIXELS) // factor) * factor
    rows = max(1, _TILE_PIXELS // columns // factor) * factor
    for top in range(0, size[1], rows):
        for left in range(0, size[0], columns):
            yield left, top, min(left + columns, size[0]), min(top + rows, size[1])


def _opaque(image: Image.Image) -> tuple[Convert | None, str]:
    """Return a function that makes the pixels of a tile of `image` ready for averaging, and the
    mode of its results: L, RGB or CMYK. The function is None if tiles are ready already."""
    if image.has_transparency_data:
        to_rgba = keys.to_rgba(image)
        below = ground.under(image, to_rgba)
        mode = "L" if image.mode in _GREY_MODES else "RGB"
        return lambda tile: _over(below, to_rgba(tile)).convert(mode), mode
    if image.mode in _PLAIN_MODES:
        return None, image.mode
    if image.mode in deep.MODES:
        return deep.to_grey(image, _tiles(image.size, 1)), "L"
    mode = "L" if image.mode in _GREY_MODES else "RGB"
    return lambda tile: tile.convert(mode), mode


def _over(below: ground.Grey, rgba: Image.Image) -> Image.Image:
    laid = Image.new("RGBA", rgba.size, (below, below, below, 255))
    return Image.alpha_composite(laid, rgba).convert("RGB")


# --- Sizes ------------------------------------------------------------------------


def _size_of(file: IO[bytes]) -> tuple[int, int]:
    """Return the size of the picture as it is stored."""
    file.seek(0)
    if size := webp.size_of(file.read(webp.HEAD)):
        return size
    return open_pixels(file).size


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    turn = TURNS.get(orientation)
    return image if turn is None else image.transpose(turn)

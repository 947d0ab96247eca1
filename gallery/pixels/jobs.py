"""Jobs on the pixels of one file for `isolation.run`, and their cost."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import IO, Any

from PIL import Image, ImageOps

from gallery.pixels import endings, isolation, png
from gallery.pixels.decode import (
    MAX_RATIO,
    MIN_SHORT_SIDE,
    decode,
    decode_part,
    decode_rgb,
    load,
    pack,
)
from gallery.pixels.header import Cost, Header, read_header
from gallery.pixels.recipe import ORIGINAL, Box, Recipe, of_json

# Decoding a JPEG this many times smaller is enough to read every byte of its pixels.
_LEAST = 8.0
_INCOMPLETE = b"incomplete"
# Squares of the middle: how many of them a strip may be long.
_LONGEST_STRIP = 64
# Bytes of a pixel in RGB. Cropping and turning make a copy each.
_RGB, _COPIES = 4, 2


def header_of(file: IO[bytes]) -> Header:
    """Read the header of an accepted picture. Raises Undecodable."""
    try:
        return read_header(file)
    except Exception as error:
        raise isolation.undecodable_unless_io(error) from error


def is_incomplete(file: IO[bytes], header: Header) -> bool:
    """Decode the picture to its end, which is the only way to find damage. Returns whether the
    file is truncated but a part of the picture is left.

    Raises as `isolation.run` does, Undecodable if nothing is left.
    """
    (answer,) = isolation.run(_verified, file, header.cost(_LEAST))
    return answer == _INCOMPLETE


def pixels_for_encoder(file: IO[bytes], header: Header, recipe: Recipe = ORIGINAL) -> Image.Image:
    """Return the pixels of `decode.decode_rgb`. Raises as `isolation.run` does."""
    cost = cost_for_encoder(header)
    if not recipe.is_empty:
        cost = cost_of(header, _shrink_for_encoder(header, recipe.crop), recipe)
    size, pixels = isolation.run(_rgb, file, cost, recipe=recipe)
    width, height = map(int, size.split())
    return Image.frombytes("RGB", (width, height), pixels)


def packed_for_encoder(file: IO[bytes], header: Header) -> bytes:
    """Return the same, packed to be sent to the worker. Raises as `isolation.run` does."""
    (packed,) = isolation.run(_packed, file, cost_for_encoder(header))
    return packed


def cost_for_encoder(header: Header) -> Cost:
    short, long = sorted((header.width, header.height))
    return header.cost(short / MIN_SHORT_SIDE, share=min(1.0, MAX_RATIO * short / long))


def cost_of(header: Header, shrink: float, recipe: Recipe) -> Cost:
    """Return the cost of `decode.decode`, with the copies that a recipe makes."""
    cost = header.cost(shrink)
    if recipe.is_empty:
        return cost
    copies = _COPIES * _RGB * header.pixels / max(1.0, shrink) ** 2
    return cost._replace(bytes=cost.bytes + math.ceil(copies))


def _shrink_for_encoder(header: Header, part: Box) -> float:
    return min(header.width, header.height) * min(part[2:]) / MIN_SHORT_SIDE


def packed_part(file: IO[bytes], header: Header, part: Box, recipe: Recipe = ORIGINAL) -> bytes:
    """Return the packed pixels of `decode.decode_part`. Raises as `isolation.run` does."""
    shrink = _shrink_for_encoder(header, part) * min(recipe.crop[2:])
    cost = cost_of(header, shrink, recipe)
    (packed,) = isolation.run(_packed_part, file, cost, part=part, recipe=recipe)
    return packed


def small_jpeg(
    file: IO[bytes], header: Header, short_side: int, long_side: int, quality: int
) -> bytes:
    """Return an upright JPEG without metadata. Its long side is at most `long_side`; its short
    side is not reduced below `short_side` unless the long side requires it. Raises as
    `isolation.run` does."""
    short, long = sorted((header.width, header.height))
    shrink = max(short / short_side, long / long_side)
    cost = header.cost(shrink)
    (jpeg,) = isolation.run(_jpeg, file, cost, shrink=shrink, long_side=long_side, quality=quality)
    return jpeg


def square_webp(file: IO[bytes], header: Header, side: int, recipe: Recipe = ORIGINAL) -> bytes:
    """Return the middle of the picture as an upright WebP square without metadata, `side` pixels
    wide or less. Raises as `isolation.run` does."""
    short, long = sorted((header.width, header.height))
    # A strip loses sharpness, but costs no more than a picture.
    shrink = max(1.0, short * min(recipe.crop[2:]) / side, long / (_LONGEST_STRIP * side))
    cost = cost_of(header, shrink, recipe)
    (square,) = isolation.run(_square, file, cost, shrink=shrink, side=side, recipe=recipe)
    return square


# --- The jobs: they run in any process --------------------------------------------


def _verified(file: IO[bytes]) -> list[bytes]:
    incomplete = load(file, _LEAST).incomplete or endings.lacks_end(file)
    file.seek(0)
    if png.is_png(file.read(len(png.SIGNATURE))):
        png.check_sums(file)
    return [_INCOMPLETE if incomplete else b"whole"]


def _rgb(file: IO[bytes], recipe: Sequence[Any]) -> list[bytes]:
    image = decode_rgb(file, of_json(recipe))
    return [f"{image.width} {image.height}".encode(), image.tobytes()]


def _packed(file: IO[bytes]) -> list[bytes]:
    return [pack(decode_rgb(file))]


def _packed_part(file: IO[bytes], part: Box, recipe: Sequence[Any]) -> list[bytes]:
    return [pack(decode_part(file, part, of_json(recipe)))]


def _square(file: IO[bytes], shrink: float, side: int, recipe: Sequence[Any]) -> list[bytes]:
    image = decode(file, shrink, of_json(recipe))
    image.info = {}
    side = min(side, *image.size)
    square = ImageOps.fit(image, (side, side), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    square.save(buffer, "WEBP", quality=80, method=4)
    return [buffer.getvalue()]


def _jpeg(file: IO[bytes], shrink: float, long_side: int, quality: int) -> list[bytes]:
    image = decode(file, shrink)
    image.thumbnail((long_side, long_side))
    image.info = {}
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return [buffer.getvalue()]

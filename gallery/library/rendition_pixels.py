"""The pixels of renditions: WebP in sRGB, upright, without any metadata.

Transparent pictures get the same background as for the encoder (gallery.pixels.ground).
"""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Sequence
from typing import IO, Any

from PIL import Image, ImageFilter

from gallery.pixels import isolation, jobs
from gallery.pixels.decode import decode
from gallery.pixels.header import Cost, Header
from gallery.pixels.recipe import ORIGINAL, Recipe, of_json

_MAX_SIDE = 16_383  # the limit of WebP
_PLACEHOLDER_SIDE = 20
_WIDEST_TILE = 480
# Memory for writing WebP in bytes per pixel, the pixel included (docs/decisions/0022).
_WRITING = 12


def draw(
    file: IO[bytes],
    size: tuple[int, int],
    widths: Sequence[int | None],
    recipe: Recipe = ORIGINAL,
) -> list[bytes]:
    """Return a WebP picture for each of `widths` (None: the full size), which are in descending
    order.

    `size` is that of the upright picture after `recipe`. Raises as `isolation.run` does.
    """
    cost, shrink = _affordable(jobs.header_of(file), _shrink(size, widths[0]), recipe)
    return isolation.run(
        _draw, file, cost, shrink=shrink, size=size, widths=list(widths), recipe=recipe
    )


def draw_jpeg(file: IO[bytes], recipe: Recipe) -> bytes:
    """Return the picture after `recipe` in full size, as a JPEG. Raises as `isolation.run`
    does."""
    cost, shrink = _affordable(jobs.header_of(file), 1.0, recipe)
    (jpeg,) = isolation.run(_draw_jpeg, file, cost, shrink=shrink, recipe=recipe)
    return jpeg


def _affordable(header: Header, shrink: float, recipe: Recipe) -> tuple[Cost, float]:
    """A picture that does not fit into memory gets half as many pixels a side, repeatedly."""
    while True:
        cost = _cost(header, shrink, recipe)
        if cost.bytes <= isolation.MAX_BYTES or shrink >= header.width:
            return cost, shrink
        shrink *= 2


def _draw_jpeg(file: IO[bytes], shrink: float, recipe: Sequence[Any]) -> list[bytes]:
    picture = decode(file, shrink, of_json(recipe))
    picture.info = {}
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=95, subsampling=0, optimize=True)
    return [buffer.getvalue()]


def _draw(
    file: IO[bytes],
    shrink: float,
    size: tuple[int, int],
    widths: Sequence[int | None],
    recipe: Sequence[Any],
) -> list[bytes]:
    picture = decode(file, shrink, of_json(recipe))
    picture.info = {}  # no metadata is written
    drawn = []
    # From large to small: each is drawn from the one before, which is faster.
    for width in widths:
        picture = fitted(picture, size, width)
        drawn.append(webp(picture, width))
    return drawn


def _shrink(size: tuple[int, int], width: int | None) -> float:
    """Return how many times smaller each side becomes, for `width` and WebP's limit."""
    return max(1.0, size[0] / (width or size[0]), max(size) / _MAX_SIDE)


def _cost(header: Header, shrink: float, recipe: Recipe) -> Cost:
    """Return the cost of decoding or of writing, whichever is higher: they run in turn."""
    decoding = jobs.cost_of(header, shrink, recipe)
    writing = math.ceil(_WRITING * header.pixels / shrink**2)
    return decoding._replace(bytes=max(decoding.bytes, writing))


def fitted(picture: Image.Image, original: tuple[int, int], width: int | None) -> Image.Image:
    """Return the picture `width` wide (None: at its own width), with no side longer than WebP
    allows, never enlarged. The proportions are those of the `original` size."""
    most = min(picture.width, width or picture.width)
    scale = min(most / original[0], _MAX_SIDE / max(original))
    size = (max(1, round(original[0] * scale)), max(1, round(original[1] * scale)))
    if picture.size == size:
        return picture
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def webp(picture: Image.Image, width: int | None) -> bytes:
    """Encode as WebP. The full size (None) gets the highest quality, the tiles of grids the
    lowest: they are what a slow line waits for."""
    quality = 90 if width is None else 80 if width > _WIDEST_TILE else 75
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=quality, method=4)
    return buffer.getvalue()


def placeholder(picture: Image.Image) -> str:
    """Return a data URI of a tiny blurred copy, shown until the picture has loaded."""
    tiny = picture.copy()
    tiny.thumbnail((_PLACEHOLDER_SIDE, _PLACEHOLDER_SIDE))
    buffer = io.BytesIO()
    tiny.filter(ImageFilter.GaussianBlur(1)).save(buffer, "WEBP", quality=30, method=6)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")

"""Transparency by a colour key: one colour of a PNG is transparent.

Pillow compares the key with samples reduced to 8 bits, and ignores the key of 16-bit grey.
Source: PNG (third edition), 11.3.1.1 (tRNS).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import IO, Any

import numpy as np
from PIL import Image

from gallery.pixels import png
from gallery.pixels.spliced import Spliced

_DEEP = "key of 16 bits"


def of_png(image: Image.Image, file: IO[bytes]) -> dict[str, Any]:
    """Return the entries that replace `transparency` in the info of a picture just opened."""
    depth, key = png.depth_and_key(file)
    if key is None or image.mode == "1":
        return {}
    most = 2**depth - 1
    samples = tuple(sample & most for sample in key)
    if image.mode == "RGB" and depth == 16:
        image.info.pop("transparency", None)
        return {_DEEP: samples}
    if depth < 8:
        samples = tuple(sample * 255 // most for sample in samples)
    return {"transparency": samples[0] if len(samples) == 1 else samples}


def has_deep_key(image: Image.Image) -> bool:
    return _DEEP in image.info


def to_rgba(image: Image.Image) -> Callable[[Image.Image], Image.Image]:
    """Return a function that converts tiles of a picture with transparency to RGBA."""
    if not image.mode.startswith("I;16"):
        return lambda tile: tile.convert("RGBA")
    key = image.info["transparency"]

    def convert(tile: Image.Image) -> Image.Image:
        values = np.asarray(tile).astype(np.uint16)
        grey = Image.fromarray((values >> 8).astype(np.uint8))
        alpha = Image.fromarray(np.where(values == key, 0, 255).astype(np.uint8))
        return Image.merge("LA", (grey, alpha)).convert("RGBA")

    return convert


def with_alpha(
    image: Image.Image, file: IO[bytes], boxes: Iterator[tuple[int, int, int, int]]
) -> Image.Image:
    """Return RGBA if `image` has 16-bit colours with a key, else `image` itself. Pillow only
    keeps the upper 8 bits, so the lower ones are decoded separately."""
    key = image.info.pop(_DEEP, None)
    if key is None:
        return image
    lower = Image.open(_readable(png.pixels_alone(file)), formats=("PNG",))
    lower.tile = [lower.tile[0]._replace(args="RGB;16L")]
    lower.info.pop("transparency", None)
    lower.load()
    image.putalpha(255)
    for box in boxes:
        tile = image.crop(box)
        samples = np.asarray(tile)[..., :3].astype(np.uint16) << 8 | np.asarray(lower.crop(box))
        opaque = (samples != np.array(key, np.uint16)).any(axis=-1)
        tile.putalpha(Image.fromarray(np.where(opaque, 255, 0).astype(np.uint8)))
        image.paste(tile, box)
    return image


def _readable(file: Spliced) -> Any:
    return file

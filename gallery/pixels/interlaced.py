"""Interlaced pictures whose last passes are missing.

Sources: PNG (third edition), 8.1 (Adam7); GIF89a, appendix E.
"""

from __future__ import annotations

from typing import NamedTuple

from PIL import Image


class Pass(NamedTuple):
    """First column and row of a pass, and its steps. After it, all pixels at multiples of
    `every` are there."""

    left: int
    top: int
    across: int
    down: int
    every: tuple[int, int]


ADAM7 = (
    Pass(0, 0, 8, 8, (8, 8)),
    Pass(4, 0, 8, 8, (4, 8)),
    Pass(0, 4, 4, 8, (4, 4)),
    Pass(2, 0, 4, 4, (2, 4)),
    Pass(0, 2, 2, 4, (2, 2)),
    Pass(1, 0, 2, 2, (1, 2)),
    Pass(0, 1, 1, 2, (1, 1)),
)
GIF = (
    Pass(0, 0, 1, 8, (1, 8)),
    Pass(0, 4, 1, 8, (1, 4)),
    Pass(0, 2, 1, 4, (1, 2)),
    Pass(0, 1, 1, 2, (1, 1)),
)


def passes_of(image: Image.Image) -> tuple[Pass, ...]:
    """Return the passes of a picture just opened; none if it is stored row by row."""
    if image.format == "PNG" and image.info.get("interlace"):
        return ADAM7
    # Arguments of Pillow's GIF decoder: bits, interlaced, transparency.
    tiles = getattr(image, "tile", [])
    return GIF if image.format == "GIF" and tiles and tiles[0].args[1] else ()


def filled(image: Image.Image, passes: tuple[Pass, ...]) -> Image.Image:
    """Return the picture at the resolution of its last complete pass. Missing pixels of `image`
    are 0."""
    begun = [number for number, one in enumerate(passes) if _has(image, one)]
    if not begun or begun[-1] == 0:
        return image
    across, down = passes[begun[-1] - 1].every
    coarse = _grid(image, Pass(0, 0, across, down, (1, 1)))
    box = (0, 0, image.width / across, image.height / down)
    return coarse.resize(image.size, Image.Resampling.NEAREST, box)


def _has(image: Image.Image, one: Pass) -> bool:
    if one.left >= image.width or one.top >= image.height:
        return False
    return _grid(image, one).getbbox(alpha_only=False) is not None


def _grid(image: Image.Image, one: Pass) -> Image.Image:
    size = (
        -(-(image.width - one.left) // one.across),
        -(-(image.height - one.top) // one.down),
    )
    # The middle of each pixel of the grid is the middle of a pixel of the pass.
    start = (one.left + (1 - one.across) / 2, one.top + (1 - one.down) / 2)
    matrix = (one.across, 0, start[0], 0, one.down, start[1])
    return image.transform(size, Image.Transform.AFFINE, matrix, Image.Resampling.NEAREST)

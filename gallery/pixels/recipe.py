"""How an owner wants a picture to look: turned by quarters, then cropped. The file stays as it is.

Every step that reads pixels of an original (`decode`) follows the recipe, so that pages, vectors,
colours and hashes agree. Nothing here imports Django: large pictures are decoded in a process of
its own.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from PIL import Image

# Shares of width and height: left, top, width, height.
Box = tuple[float, float, float, float]
Size = tuple[int, int]

WHOLE: Box = (0.0, 0.0, 1.0, 1.0)
# A hundred thousand pixels are told apart.
_DIGITS = 6
_QUARTERS = {
    1: Image.Transpose.ROTATE_270,  # Pillow turns to the left
    2: Image.Transpose.ROTATE_180,
    3: Image.Transpose.ROTATE_90,
}


class Recipe(NamedTuple):
    """`turns` are quarters to the right, from 0 to 3. `crop` is a part of the turned picture."""

    turns: int = 0
    crop: Box = WHOLE

    @property
    def is_empty(self) -> bool:
        return self == Recipe()

    @property
    def edition(self) -> str:
        """Eight letters that differ from recipe to recipe; none for the original."""
        if self.is_empty:
            return ""
        return hashlib.sha256(json.dumps(self).encode()).hexdigest()[:8]

    def turned(self, quarters: int) -> Recipe:
        """Return the recipe for the picture as it looks now, turned to the right."""
        return Recipe((self.turns + quarters) % 4, _turned(self.crop, quarters))

    def size_of(self, original: Size) -> Size:
        """Return the size in pixels of a picture whose upright original has this size."""
        width, height = original if self.turns % 2 == 0 else original[::-1]
        return max(1, round(width * self.crop[2])), max(1, round(height * self.crop[3]))

    def apply(self, picture: Image.Image) -> Image.Image:
        """Return an upright picture cropped and turned."""
        # Cut first: fewer pixels are turned.
        if self.crop != WHOLE:
            picture = picture.crop(in_pixels(_turned(self.crop, -self.turns), picture.size))
        quarter = _QUARTERS.get(self.turns)
        return picture if quarter is None else picture.transpose(quarter)


ORIGINAL = Recipe()


def rounded(turns: int, crop: Box) -> Recipe:
    """Return a recipe in the digits that are stored."""
    left, top, width, height = (round(share, _DIGITS) for share in crop)
    return Recipe(turns % 4, (left, top, width, height))


def stored(recipe: Recipe, original: Size) -> dict[str, Any]:
    """Return the recipe as JSON, with the size of the upright original; nothing for the original
    itself."""
    if recipe.is_empty:
        return {}
    return {"turns": recipe.turns, "crop": list(recipe.crop), "of": list(original)}


def read(kept: Mapping[str, Any] | None) -> Recipe:
    """The inverse of `stored`."""
    if not kept:
        return ORIGINAL
    left, top, width, height = kept["crop"]
    return Recipe(kept["turns"], (left, top, width, height))


def of_json(given: Sequence[Any]) -> Recipe:
    """Return a recipe that was sent to another process, where it became a list."""
    turns, (left, top, width, height) = given
    return Recipe(turns, (left, top, width, height))


def in_pixels(part: Box, size: Size) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of a part of a picture: one pixel at least."""
    left, top, width, height = part
    edges = (left, top, left + width, top + height)
    x, y, right, bottom = (
        round(share * side) for share, side in zip(edges, (*size, *size), strict=True)
    )
    x, y = min(x, size[0] - 1), min(y, size[1] - 1)
    return x, y, min(max(right, x + 1), size[0]), min(max(bottom, y + 1), size[1])


def _turned(box: Box, quarters: int) -> Box:
    """Return where a part of a picture lies after the picture is turned to the right."""
    for _quarter in range(quarters % 4):
        left, top, width, height = box
        box = (round(1 - top - height, _DIGITS), left, height, width)
    return box

"""Names of colours, as regions of OKLab.

The bounds were chosen with captioned photographs, so that objects that people call red are
found and skin is not. The names are those that most languages have (Berlin and Kay, Basic
Color Terms, 1969), plus teal between green and blue.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gallery.library.oklab import Colours


@dataclass(frozen=True)
class Region:
    """A region in polar form: minimum and maximum of lightness and chroma, and a range of
    hues in degrees, from the first up to the second."""

    lightness: tuple[float, float]
    chroma: tuple[float, float]
    hue: tuple[float, float] = (0, 360)

    def has(self, colours: Colours) -> npt.NDArray[np.bool_]:
        """(n, 3) OKLab -> (n,): which colours lie in the region."""
        lightness, a, b = colours.T
        chroma = np.hypot(a, b)
        hue = np.degrees(np.arctan2(b, a))
        return (
            _within(lightness, self.lightness)
            & _within(chroma, self.chroma)
            & ((hue - self.hue[0]) % 360 <= self.hue[1] - self.hue[0])
        )


# A colour may have two of these names, or none. The position of a name in this order is
# stored with the pictures: a change of regions or order needs a higher version of
# VisualFeatures (gallery.library.visual_features).
REGIONS: dict[str, Region] = {
    "red": Region((0.27, 0.67), (0.12, 0.4), (10, 37)),
    "orange": Region((0.58, 0.88), (0.115, 0.4), (38, 76)),
    "yellow": Region((0.68, 1), (0.095, 0.4), (76, 114)),
    "green": Region((0.22, 1), (0.05, 0.4), (111, 166)),
    "teal": Region((0.25, 0.95), (0.035, 0.4), (166, 220)),
    "blue": Region((0.2, 0.95), (0.038, 0.4), (220, 284)),
    "purple": Region((0.2, 0.85), (0.05, 0.4), (284, 340)),
    "pink": Region((0.6, 0.98), (0.055, 0.4), (335, 385)),
    "brown": Region((0.22, 0.6), (0.038, 0.14), (33, 82)),
    "black": Region((0, 0.24), (0, 0.04)),
    "grey": Region((0.35, 0.88), (0, 0.022)),
    "white": Region((0.9, 1), (0, 0.025)),
}


def number_of(name: str) -> int:
    """Return the number that stands for a name among a picture's cells. It is negative, since
    the numbers of cells are not."""
    return -1 - list(REGIONS).index(name)


def numbers_of(colours: Colours) -> list[int]:
    """Return the numbers of all names that apply to any of (n, 3) OKLab colours."""
    return [number_of(name) for name, region in REGIONS.items() if region.has(colours).any()]


def _within(values: Colours, bounds: tuple[float, float]) -> npt.NDArray[np.bool_]:
    least, most = bounds
    return (values >= least) & (values <= most)

"""Colours in searches: common names, and #hex.

Both become numbers that pictures have among their `colour_cells`. A name has its own number. A #hex
value stands for the OKLab cells that look like it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

import numpy as np
from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from gallery.errors import Sentence
from gallery.library import colour_names, oklab

# A colour within this distance (ΔE OK2) looks like the searched colour.
LIKE = 0.13


@dataclass(frozen=True)
class Named:
    """A named colour: its label, and a typical `hex` value."""

    label: Sentence
    hex: str


NAMES: dict[str, Named] = {
    "red": Named(_("Red"), "#d32f2f"),
    "orange": Named(_("Orange"), "#f57c00"),
    "yellow": Named(_("Yellow"), "#fdd835"),
    "green": Named(_("Green"), "#43a047"),
    "teal": Named(_("Teal"), "#00897b"),
    "blue": Named(_("Blue"), "#1e66d0"),
    "purple": Named(_("Purple"), "#7b3fb5"),
    "pink": Named(_("Pink"), "#f06fa5"),
    "brown": Named(_("Brown"), "#7a4b2a"),
    "black": Named(_("Black"), "#111111"),
    "grey": Named(_("Grey"), "#8a8a8a"),
    "white": Named(_("White"), "#ffffff"),
}
_ALIASES = {"gray": "grey"}

_HEX = re.compile(r"#([0-9a-f]{3}|[0-9a-f]{6})", re.ASCII)


def canonical(text: str) -> str | None:
    """Return a name of NAMES or #rrggbb; None for other texts. Names may be in any language of the
    site."""
    word = text.strip().casefold()
    if match := _HEX.fullmatch(word):
        digits = match[1]
        return "#" + (digits if len(digits) == 6 else "".join(digit * 2 for digit in digits))
    return word if word in NAMES else _known_as().get(word.removesuffix("色"))


def label(colour: str) -> str:
    """Return the displayed name of a canonical colour."""
    return str(NAMES[colour].label) if colour in NAMES else colour


def swatch(colour: str) -> str:
    """Return a canonical colour as #rrggbb."""
    return NAMES[colour].hex if colour in NAMES else colour


def called(hex_colour: str) -> str:
    """Return the displayed name of #rrggbb; #rrggbb itself if it has no name."""
    regions = colour_names.REGIONS.items()
    names = (label(name) for name, region in regions if region.has(_oklab(hex_colour))[0])
    return next(names, hex_colour)


def cells(colour: str) -> list[int]:
    """Return the numbers of a canonical colour, at least one. Pictures of that colour have one of
    them."""
    if colour in NAMES:
        return [colour_names.number_of(colour)]
    asked = _oklab(colour)
    numbers, middles = oklab.all_cells()
    near = oklab.distances(asked, middles)[0] <= LIKE
    return sorted({*numbers[near].tolist(), *oklab.cells_of(asked).tolist()})


def _oklab(hex_colour: str) -> oklab.Colours:
    """Return the colour in OKLab, (1, 3)."""
    return oklab.from_srgb(np.frombuffer(bytes.fromhex(hex_colour[1:]), dtype=np.uint8))[None]


@cache
def _known_as() -> dict[str, str]:
    known = dict(_ALIASES)
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            labels = {str(named.label).casefold(): name for name, named in NAMES.items()}
        known |= {word.removesuffix("色"): name for word, name in labels.items()}
    return known

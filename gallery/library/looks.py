"""What a picture looks like: its dominant colours and its perceptual hash.

Computed from the smallest rendition when it is made; for pictures that had theirs
before, by the sweep (gallery.library.looking_back).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL.Image import Image as Picture

from gallery.library import colour_names, oklab, palette
from gallery.library.perceptual_hash import perceptual_hash

# Of what is computed below. Who changes it sets `looks` of all pictures to 0 in a
# migration, and the sweep does the rest. Who changes the perceptual hash sets that to
# null there too, and queues the vectors again as migration 0005 does: they wait for it.
VERSION = 1


def looks_of(picture: Picture) -> dict[str, Any]:
    """The fields of an Image that tell what `picture` (upright, opaque) looks like."""
    colours = palette.dominant(picture)
    places = np.array([found.colour for found in colours]).reshape(-1, 3)
    return {
        "looks": VERSION,
        "palette": [[found.hex, round(found.share, 3)] for found in colours],
        "colour_cells": sorted(
            {*oklab.cells_of(places).tolist(), *colour_names.numbers_of(places)}
        ),
        "perceptual_hash": perceptual_hash(picture),
    }

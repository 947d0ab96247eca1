"""What a picture looks like: its dominant colours and its perceptual hash.

Computed from the smallest rendition.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from PIL.Image import Image as Picture

from gallery.library import colour_names, oklab, palette, rendering, renditions
from gallery.library.perceptual_hash import perceptual_hash
from gallery.models import Image
from gallery.work.analyser import Analyser, Entry


def visual_features_of(picture: Picture) -> dict[str, Any]:
    """Return the fields of an Image that describe what `picture` (upright, opaque) looks like."""
    colours = palette.dominant(picture)
    values = np.array([found.colour for found in colours]).reshape(-1, 3)
    return {
        "palette": [[found.hex, round(found.share, 3)] for found in colours],
        "colour_cells": sorted(
            {*oklab.cells_of(values).tolist(), *colour_names.numbers_of(values)}
        ),
        "perceptual_hash": perceptual_hash(picture),
    }


class VisualFeatures(Analyser):
    name = "visual_features"
    # Raise it with every change of the features above or of the names of colours: all pictures
    # are then analysed and compared again.
    version = 1
    needs = (renditions.ANALYSER,)
    batch_size = 16

    def prepare(self, entry: Entry) -> dict[str, Any]:
        return visual_features_of(rendering.smallest_of(entry))

    def store(self, entries: Sequence[Entry], results: Sequence[dict[str, Any]]) -> None:
        seen = [
            Image(pk=entry.image_id, **found) for entry, found in zip(entries, results, strict=True)
        ]
        Image.objects.bulk_update(seen, ["palette", "colour_cells", "perceptual_hash"])


def analysers() -> Iterable[VisualFeatures]:
    return [VisualFeatures()]

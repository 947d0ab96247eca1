"""Facts about a picture: what the metadata of its file says, and what its structure shows."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import IO

from gallery.library import exif
from gallery.library.clocks import Clock
from gallery.library.taken import taken
from gallery.library.xmp import read_properties
from gallery.pixels.blocks import read_blocks
from gallery.pixels.frames import Frames, read_frames
from gallery.pixels.opening import open_picture

logger = logging.getLogger(__name__)

# Version of the code that reads facts. Pictures with version 0 are read again.
VERSION = 1


@dataclass(frozen=True)
class Facts:
    """Latitude and longitude are degrees, both known or neither.

    `settings` is JSON: exposure_time (seconds), exposure_bias (EV), f_number,
    iso, focal_length and focal_length_35mm (millimetres), lens, flash (fired).
    """

    taken: Clock | None = None
    camera: str = ""
    latitude: float | None = None
    longitude: float | None = None
    settings: dict[str, float | str | bool] = field(default_factory=dict)
    frames: Frames = field(default_factory=Frames)
    # Stars from 0 to 5, as programs for photographs write them.
    rating: int = 0


def read_facts(file: IO[bytes], name: str = "") -> Facts:
    """Read the facts of the picture in `file`, whose file name is `name`. Values that cannot be
    read count as unknown."""
    frames = read_frames(file)
    try:
        image = open_picture(file)
        blocks = read_blocks(image, file)
    except Exception as error:  # Pillow raises anything at all for broken files
        logger.info("Facts cannot be read: %s: %s", type(error).__name__, error)
        return Facts(frames=frames)
    found = exif.read_directories(image)
    latitude, longitude = exif.position_of(found.gps)
    return Facts(
        taken=taken(found.main, found.photo, found.gps, blocks, name),
        camera=exif.camera_of(found.main),
        latitude=latitude,
        longitude=longitude,
        settings=exif.settings_of(found.photo),
        frames=frames,
        rating=_rating(read_properties(blocks.xmp).get("xmp:Rating", "")),
    )


def _rating(text: str) -> int:
    """Return stars; 0 for none, and for a rejected picture (-1)."""
    try:
        return min(max(int(float(text)), 0), 5)
    except (ValueError, OverflowError):
        return 0

"""WebP, decoded by libvips.

Pillow hands WebP to libwebp's decoder of animations, which needs 15 bytes a pixel for any
file (docs/decisions/0022). libvips decodes the one frame, and makes it smaller at that.
"""

from __future__ import annotations

import os
import struct

from PIL import Image

# Threads of its own would not make one frame faster. Read when the library is loaded.
os.environ.setdefault("VIPS_CONCURRENCY", "1")

import pyvips

# Bytes of a file that `is_webp` and `size_of` need.
HEAD = 30

_MODES = {1: "L", 3: "RGB", 4: "RGBA"}
_ROWS = 64

# Nothing is asked for twice, and no other of its many decoders can be reached.
pyvips.cache_set_max(0)
pyvips.operation_block_set("VipsForeignLoad", True)
pyvips.operation_block_set("VipsForeignLoadWebp", False)


def is_webp(head: bytes) -> bool:
    return head[:4] == b"RIFF" and head[8:12] == b"WEBP"


def size_of(head: bytes) -> tuple[int, int] | None:
    """Width and height by the first HEAD bytes; None of what is no WebP file.

    Source: RFC 9649, sections 2.5 to 2.7.
    """
    if not is_webp(head) or len(head) < HEAD:
        return None
    kind = head[12:16]
    if kind == b"VP8 " and head[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", head, 26)
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L" and head[20] == 0x2F:
        (bits,) = struct.unpack_from("<I", head, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8X":
        width, height = (int.from_bytes(head[at : at + 3], "little") for at in (24, 27))
        return width + 1, height + 1
    return None


def load(data: bytes, shrink: float) -> tuple[Image.Image, int]:
    """The first frame, each side divided by `shrink`, and the EXIF orientation, 1 to 8.

    Raises OSError for a damaged file.
    """
    try:
        picture = pyvips.Image.webpload_buffer(
            data, scale=1 / shrink, access="sequential", fail_on="error"
        )
        fields = set(picture.get_fields())
        orientation = int(picture.get("orientation")) if "orientation" in fields else 1
        profile = picture.get("icc-profile-data") if "icc-profile-data" in fields else None
        image = _pillow_of(picture)
    except pyvips.Error as error:
        raise OSError(f"WebP: {error.message} {error.detail}".strip()) from error
    if profile:
        image.info["icc_profile"] = bytes(profile)
    return image, orientation if 1 <= orientation <= 8 else 1


def _pillow_of(picture: pyvips.Image) -> Image.Image:
    """Row by row, without a second copy of all pixels."""
    mode, width = _MODES[picture.bands], picture.width
    image = Image.new(mode, (width, picture.height))
    region = pyvips.Region.new(picture)
    for top in range(0, picture.height, _ROWS):
        rows = min(_ROWS, picture.height - top)
        pixels = region.fetch(0, top, width, rows)
        image.paste(Image.frombuffer(mode, (width, rows), pixels, "raw", mode, 0, 1), (0, top))
    return image

"""WebP, decoded by libvips.

Pillow uses libwebp's decoder of animations, which takes 15 bytes a pixel for any file
(docs/decisions/0022). libvips decodes one frame only, and can reduce it while decoding.
"""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Iterator
from typing import IO

from PIL import Image, ImageChops

# More threads would not make one frame faster. The library reads this when it is loaded.
os.environ.setdefault("VIPS_CONCURRENCY", "1")

import pyvips

# Bytes of a file that `is_webp` and `size_of` need.
HEAD = 30

_PIXELS = {b"VP8 ", b"VP8L", b"ALPH", b"ANMF"}
# Flags of VP8X that announce metadata.
_FLAGS = {b"EXIF": 8, b"XMP ": 4, b"ICCP": 32}
# A chunk may declare at most this many times the bytes that are there, plus slack.
_MOST_TIMES, _SLACK = 16, 64 * 1024
# Bytes that are cut off to find out where the pixels end.
_LESS = 8
# Zeros appended to a lossy frame, since its decoder may read beyond the end.
_BEHIND = 64
_MOST_CHUNKS = 100_000
_FLAGS_AT = 8
_FRAME_HEAD = 10

_MODES = {1: "L", 3: "RGB", 4: "RGBA"}
_ROWS = 64

# No cache, since nothing is decoded twice; and no decoder except that of WebP.
pyvips.cache_set_max(0)
pyvips.operation_block_set("VipsForeignLoad", True)
pyvips.operation_block_set("VipsForeignLoadWebp", False)


def is_webp(head: bytes) -> bool:
    return head[:4] == b"RIFF" and head[8:12] == b"WEBP"


def size_of(head: bytes) -> tuple[int, int] | None:
    """Return width and height by the first HEAD bytes; None if it is no WebP file.

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


def lacks_end(head: bytes, size: int) -> bool:
    """Return whether a file of `size` bytes is shorter than its first bytes declare."""
    return size < 8 + int.from_bytes(head[4:8], "little")


def sound(file: IO[bytes], less: int = 0) -> IO[bytes]:
    """Return the file itself if all its chunks fit into it. A truncated file is rebuilt, since
    libwebp only decodes complete ones: with zeros in place of missing pixels, and without other
    chunks that are incomplete. `less` more bytes of pixels count as missing."""
    chunks = list(_chunks(file))
    file.seek(4)
    riff = 8 + int.from_bytes(file.read(4), "little")
    size = file.seek(0, os.SEEK_END)
    if riff <= size and all(start + length <= riff for _kind, start, length in chunks):
        file.seek(0)
        return file
    kept: list[bytes] = []
    kinds = set()
    for kind, start, length in chunks:
        file.seek(start)
        content = file.read(min(length, size))
        if len(content) < length:
            if kind not in _PIXELS or length > _MOST_TIMES * len(content) + _SLACK:
                continue
            if len(content) <= _LESS or (kind == b"VP8 " and len(content) < _modes_of(content)):
                continue
            length += _BEHIND if kind == b"VP8 " else 0
            content = content[: len(content) - less].ljust(length, b"\0")
        kept.append(kind + struct.pack("<L", length) + content + b"\0" * (length % 2))
        kinds.add(kind)
    if kept and kept[0][:4] == b"VP8X" and len(kept[0]) > _FLAGS_AT:
        gone = sum(flag for kind, flag in _FLAGS.items() if kind not in kinds)
        flags = kept[0][_FLAGS_AT] & ~gone
        kept[0] = kept[0][:_FLAGS_AT] + bytes((flags,)) + kept[0][_FLAGS_AT + 1 :]
    body = b"WEBP" + b"".join(kept)
    return io.BytesIO(b"RIFF" + struct.pack("<L", len(body)) + body)


def _modes_of(frame: bytes) -> int:
    """Return the bytes of a lossy frame before its samples. Source: RFC 6386, 9.1."""
    return _FRAME_HEAD + (int.from_bytes(frame[:3], "little") >> 5)


def _chunks(file: IO[bytes]) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, start and length of each chunk that begins in the file. Source: RFC 9649,
    2.3."""
    at = 12
    for _number in range(_MOST_CHUNKS):
        file.seek(at)
        head = file.read(8)
        if len(head) < 8 or not head[:4].strip(b"\0"):
            return
        length = int.from_bytes(head[4:], "little")
        yield head[:4], at + 8, length
        at += 8 + length + length % 2
    raise SyntaxError(f"more than {_MOST_CHUNKS} chunks")


def load(file: IO[bytes], shrink: float) -> tuple[Image.Image, int]:
    """Return the first frame, each side divided by `shrink`, and the EXIF orientation, 1 to 8.
    Rows that a truncated file lacks are empty or grey.

    Raises OSError for a damaged file, and for a truncated one without any rows.
    """
    view = sound(file)
    try:
        picture = _opened(view, shrink)
        fields = set(picture.get_fields())
        orientation = int(picture.get("orientation")) if "orientation" in fields else 1
        profile = picture.get("icc-profile-data") if "icc-profile-data" in fields else None
        image = _pillow_of(picture)
        if view is not file:
            del picture
            _empty_below(image, _rows_left(image, file, shrink))
    except pyvips.Error as error:
        raise OSError(f"WebP: {error.message} {error.detail}".strip()) from error
    if profile:
        image.info["icc_profile"] = bytes(profile)
    return image, orientation if 1 <= orientation <= 8 else 1


def _opened(file: IO[bytes], shrink: float) -> pyvips.Image:
    return pyvips.Image.webpload_buffer(
        file.read(), scale=1 / shrink, access="sequential", fail_on="error"
    )


def _rows_left(image: Image.Image, file: IO[bytes], shrink: float) -> int:
    """Return how many rows of `image` were decoded from the file. Rows decoded from zeros look
    like a picture, too: they begin where `image` changes once a few more bytes are missing."""
    shorter = _opened(sound(file, _LESS), shrink)
    region = pyvips.Region.new(shorter)
    for top in range(0, image.height, _ROWS):
        rows = min(_ROWS, image.height - top)
        box = (0, top, image.width, top + rows)
        pixels = region.fetch(0, top, image.width, rows)
        other = Image.frombuffer(image.mode, (image.width, rows), pixels, "raw", image.mode, 0, 1)
        apart = ImageChops.difference(image.crop(box), other).getbbox(alpha_only=False)
        if apart:
            return top + apart[1]
    return image.height


def _empty_below(image: Image.Image, row: int) -> None:
    if row == 0:
        raise OSError("no pixels")
    grey = (128, 128, 128, 0)[: len(image.getbands())]
    image.paste(grey if len(grey) > 1 else 128, (0, row, *image.size))


def _pillow_of(picture: pyvips.Image) -> Image.Image:
    """Convert some rows at a time, without a second copy of all pixels."""
    mode, width = _MODES[picture.bands], picture.width
    image = Image.new(mode, (width, picture.height))
    region = pyvips.Region.new(picture)
    for top in range(0, picture.height, _ROWS):
        rows = min(_ROWS, picture.height - top)
        pixels = region.fetch(0, top, width, rows)
        image.paste(Image.frombuffer(mode, (width, rows), pixels, "raw", mode, 0, 1), (0, top))
    return image

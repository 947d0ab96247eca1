"""How a file is put together, looked at before a library reads its header: what is read in
full, and more than once, whatever the size of the picture.

Sources: PNG (third edition), 5.3; ITU-T T.81, B.1; TIFF 6.0, section 2, and BigTIFF.
"""

from __future__ import annotations

import os
import struct
from typing import IO

from gallery.pixels import boxes

# Chunks of 1 kB of a PNG of 100 MB; segments of a JPEG before its first scan; strips or
# tiles of a TIFF, of 16 x 16 pixels in a picture of 75 megapixels.
MOST_CHUNKS = 100_000
MOST_SEGMENTS = 2_000
MOST_PLACES = 300_000
MOST_BESIDE = 32 * 1024**2
_MOST_ENTRIES = 4_096

# Markers of a JPEG that stand alone.
_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xDA)}
_PNG = b"\x89PNG\r\n\x1a\n"
_TIFF = {b"II*\0": "<", b"MM\0*": ">", b"II+\0": "<", b"MM\0+": ">"}
_BIG = {b"II+\0", b"MM\0+"}
# Width, height, bits, compression, samples, strips, tiles: where two libraries that read
# one file must find the same. Pillow leaves out entries whose type it does not know, libtiff
# takes the first of two.
_LAYOUT = {256, 257, 258, 259, 273, 277, 278, 279, 322, 323, 324, 325}
_KNOWN_TYPES = {1, 3, 4, 16}  # BYTE, SHORT, LONG, LONG8


def check(file: IO[bytes]) -> None:
    """Raises SyntaxError for a file that no program writes so."""
    file.seek(0)
    head = file.read(boxes.HEAD)
    if head[:8] == _PNG:
        _check_png(file)
    elif head[:2] == b"\xff\xd8":
        _check_jpeg(file)
    elif head[:4] in _TIFF:
        _check_tiff(file, _TIFF[head[:4]], head[:4] in _BIG)
    elif boxes.is_container(head):
        boxes.check(file)


def _check_png(file: IO[bytes]) -> None:
    file.seek(len(_PNG))
    for _chunk in range(MOST_CHUNKS):
        start = file.read(8)
        if len(start) < 8:
            return
        file.seek(int.from_bytes(start[:4], "big") + 4, os.SEEK_CUR)
    raise SyntaxError(f"more than {MOST_CHUNKS} chunks")


def _check_jpeg(file: IO[bytes]) -> None:
    """Readers skip bytes between two segments one by one: each counts as a segment."""
    file.seek(2)
    total = 0
    for _segment in range(MOST_SEGMENTS):
        start = file.read(4)
        if len(start) < 4 or start[:2] == b"\xff\xda":
            return
        length = int.from_bytes(start[2:], "big")
        if start[0] != 0xFF or start[1] in (0x00, 0xFF):
            file.seek(-3, os.SEEK_CUR)
        elif start[1] in _WITHOUT_LENGTH:
            file.seek(-2, os.SEEK_CUR)
        else:
            file.seek(max(0, length - 2), os.SEEK_CUR)
            total += length
        if total > MOST_BESIDE:
            break
    raise SyntaxError(f"more than {MOST_SEGMENTS} segments, or {MOST_BESIDE} bytes of them")


def _check_tiff(file: IO[bytes], order: str, is_big: bool) -> None:
    """The first directory: all that is read of a file."""
    where, count, entry = ("Q", "Q", "HHQ8x") if is_big else ("L", "H", "HHL4x")
    file.seek(8 if is_big else 4)
    (first,) = _unpack(file, order + where)
    file.seek(first)
    (entries,) = _unpack(file, order + count)
    if entries > _MOST_ENTRIES:
        raise SyntaxError(f"{entries} entries")
    seen: set[int] = set()
    for _entry in range(entries):
        tag, kind, length = _unpack(file, order + entry)
        if length > MOST_PLACES and tag in _LAYOUT:
            raise SyntaxError(f"{length} values of tag {tag}")
        if tag in _LAYOUT and (tag in seen or kind not in _KNOWN_TYPES):
            raise SyntaxError(f"tag {tag} twice, or of type {kind}")
        seen.add(tag)


def _unpack(file: IO[bytes], layout: str) -> tuple[int, ...]:
    data = file.read(struct.calcsize(layout))
    try:
        return struct.unpack(layout, data)
    except struct.error as error:
        raise SyntaxError("cut off") from error

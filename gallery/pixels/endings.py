"""Detects truncated files, such as those that were copied or sent only in part.

Sources: GIF89a, sections 15 to 27; BITMAPFILEHEADER and BITMAPINFOHEADER (Windows); for the
others see the module of each format.
"""

from __future__ import annotations

from typing import IO

from gallery.pixels import boxes, jpeg, png, tiff, webp
from gallery.pixels.spliced import size_of

_GIF = (b"GIF87a", b"GIF89a")
# The most blocks that are read, enough for an animation of 100 MB.
_MOST_BLOCKS = 1_000_000
_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B
_BMP_HEADERS = 14 + 40
# BI_RLE8 and BI_RLE4.
_BMP_RUN_LENGTHS = (1, 2)


def lacks_end(file: IO[bytes]) -> bool:
    """Return whether the file is truncated. Raises SyntaxError if its structure is impossible."""
    file.seek(0)
    head = file.read(webp.HEAD)
    if jpeg.is_jpeg(head):
        return jpeg.lacks_end(file)
    if png.is_png(head):
        return png.lacks_end(file)
    if webp.is_webp(head):
        return webp.lacks_end(head, size_of(file))
    if tiff.is_tiff(head):
        return tiff.lacks_end(file)
    if head[:6] in _GIF:
        return _gif_lacks_end(file)
    if boxes.is_container(head):
        return boxes.lacks_end(file)
    if head[:2] == b"BM":
        file.seek(0)
        return _bmp_size(file.read(_BMP_HEADERS)) > size_of(file)
    return False


def is_cut_off(file: IO[bytes]) -> bool:
    """Return whether a picture that cannot be decoded completely is truncated and has something
    to show."""
    file.seek(0)
    head = file.read(webp.HEAD)
    if png.is_png(head):
        return (png.lacks_end(file) or png.is_short(file)) and png.has_a_row(file)
    return lacks_end(file)


def _gif_lacks_end(file: IO[bytes]) -> bool:
    file.seek(10)
    flags = file.read(3)
    at = 13 + _colour_table(flags[:1])
    for _block in range(_MOST_BLOCKS):
        file.seek(at)
        kind = file.read(1)
        if kind == bytes((_TRAILER,)):
            return False
        if kind == bytes((_IMAGE,)):
            at += 11 + _colour_table(file.read(9)[8:])
        elif kind == bytes((_EXTENSION,)):
            at += 2
        else:
            return True
        at = _behind_sub_blocks(file, at)
    return False


def _behind_sub_blocks(file: IO[bytes], at: int) -> int:
    file.seek(at)
    while (length := file.read(1)) not in (b"", b"\0"):
        at = file.seek(length[0], 1)
    return at + 1


def _colour_table(flags: bytes) -> int:
    """Return the size of a colour table in bytes."""
    return 3 << ((flags[0] & 7) + 1) if flags and flags[0] & 0x80 else 0


def _bmp_size(head: bytes) -> int:
    """Return the size of the file by its header: of its rows, or of its run lengths."""
    start, size = (int.from_bytes(head[at : at + 4], "little") for at in (10, 14))
    if size < 40:
        return int.from_bytes(head[2:6], "little")
    compression, compressed = (int.from_bytes(head[at : at + 4], "little") for at in (30, 34))
    if compression in _BMP_RUN_LENGTHS:
        return start + compressed
    width, height = (
        abs(int.from_bytes(head[at : at + 4], "little", signed=True)) for at in (18, 22)
    )
    row = (width * int.from_bytes(head[28:30], "little") + 31) // 32 * 4
    return start + row * height

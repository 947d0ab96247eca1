"""The structure of a GIF. Source: GIF89a, 17 to 26."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import IO, NamedTuple

SIGNATURES = (b"GIF87a", b"GIF89a")
# More than any real GIF has: 255 MB in blocks of 255 bytes.
MOST_BLOCKS = 1_000_000

IMAGE, CONTROL, APPLICATION = 0x2C, 0xF9, 0xFF
_EXTENSION = b"\x21"


class Part(NamedTuple):
    """An image, or an extension with its label as `kind`. `first` is the first block of an
    extension; the file's position is behind it until the next part is requested."""

    kind: int
    first: bytes = b""


def read_parts(file: IO[bytes]) -> Iterator[Part]:
    """Yield parts up to the end of the file, to bytes that are no part, or to MOST_BLOCKS."""
    file.seek(0)
    head = file.read(13)
    if len(head) < 13:
        return
    at, left = 13 + _table(head[10]), MOST_BLOCKS
    while left > 0:
        file.seek(at)
        start = file.read(1)
        if start == _EXTENSION and len(told := file.read(2)) == 2:
            first = file.read(told[1])
            at = file.tell()
            yield Part(told[0], first)
            file.seek(at)
            left -= _skip_blocks(file, left) if first else 1
        elif start[:1] == bytes([IMAGE]) and len(place := file.read(9)) == 9:
            yield Part(IMAGE)
            file.seek(_table(place[8]) + 1, os.SEEK_CUR)  # the table, and the size of codes
            left -= _skip_blocks(file, left)
        else:
            return
        at = file.tell()


def _table(flags: int) -> int:
    """Return the size of a colour table in bytes."""
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _skip_blocks(file: IO[bytes], most: int) -> int:
    """Skip a chain of blocks. Returns how many there were, `most` at most."""
    for number in range(1, most + 1):
        size = file.read(1)
        if not size or not size[0]:
            return number
        file.seek(size[0], os.SEEK_CUR)
    return most

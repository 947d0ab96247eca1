"""The boxes of HEIF and AVIF files, as far as they tell what reading one would cost.

Sources: ISO/IEC 14496-12 (boxes, `iloc`), AV1-ISOBMFF 2.3.3 (`av1C`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

# Bytes of a file that `is_container` needs.
HEAD = 12
# What all items of a file are together at most, as a multiple of the file. Items may
# overlap, and readers copy each of them: a few hundred bytes could be read a million times.
_MOST_TIMES = 2
_SLACK = 1024**2
# Where an `av1C` is looked for: the description stands before the pixels.
_DESCRIPTION = 1024**2


def is_container(head: bytes) -> bool:
    return head[4:8] == b"ftyp"


def check(file: IO[bytes]) -> None:
    """Raises SyntaxError where the items of the file are much more than the file."""
    file.seek(0, 2)
    size = file.tell()
    total = sum(length or size for length in _lengths(_location_box(file)))
    if total > _MOST_TIMES * size + _SLACK:
        raise SyntaxError(f"{total} bytes of items in a file of {size}")


def is_deep_av1(file: IO[bytes]) -> bool:
    """Whether any picture of the file has more than 8 bits a channel, or may have."""
    file.seek(0)
    description = file.read(_DESCRIPTION)
    starts = [at + 4 for at in _places(description, b"av1C")]
    return not starts or any(
        len(description) > at + 2 and description[at + 2] & 0x40 for at in starts
    )


def _places(data: bytes, name: bytes) -> Iterator[int]:
    at = data.find(name)
    while at >= 0:
        yield at
        at = data.find(name, at + 1)


def _location_box(file: IO[bytes]) -> bytes:
    """The content of `iloc` in `meta`; empty where there is none."""
    file.seek(0, 2)
    meta = _child(file, b"meta", 0, file.tell())
    if meta is None:
        return b""
    found = _child(file, b"iloc", meta[0] + 4, meta[1])  # behind version and flags
    if found is None:
        return b""
    file.seek(found[0])
    return file.read(found[1] - found[0])


def _child(file: IO[bytes], name: bytes, start: int, end: int) -> tuple[int, int] | None:
    """Where the content of the first box `name` between two places begins and ends."""
    while start + 8 <= end:
        file.seek(start)
        head = file.read(16)
        size, content = int.from_bytes(head[:4], "big"), start + 8
        if size == 1:
            size, content = int.from_bytes(head[8:16], "big"), start + 16
        elif size == 0:
            size = end - start
        if size < 8:
            return None
        if head[4:8] == name:
            return content, min(start + size, end)
        start += size
    return None


def _lengths(box: bytes) -> Iterator[int]:
    """The length of each extent of each item; 0 means all of the file."""
    if len(box) < 8:
        return
    version = box[0]
    offset_size, length_size = box[4] >> 4, box[4] & 15
    base_size, index_size = box[5] >> 4, box[5] & 15 if version in (1, 2) else 0
    wide = 4 if version == 2 else 2
    items, at = int.from_bytes(box[6 : 6 + wide], "big"), 6 + wide
    for _item in range(items):
        at += wide + (2 if version in (1, 2) else 0) + 2 + base_size
        extents = int.from_bytes(box[at : at + 2], "big")
        at += 2
        for _extent in range(extents):
            at += index_size + offset_size
            if at + length_size > len(box):
                return
            yield int.from_bytes(box[at : at + length_size], "big")
            at += length_size

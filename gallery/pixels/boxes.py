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
# Boxes beside one another, and what is read of one that says something about others.
_MOST_BOXES = 10_000
_MOST_CONTENT = 1024
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
    starts = [at + 4 for at in _found(description, b"av1C")]
    return not starts or any(
        len(description) > at + 2 and description[at + 2] & 0x40 for at in starts
    )


def _found(data: bytes, name: bytes) -> Iterator[int]:
    at = data.find(name)
    while at >= 0:
        yield at
        at = data.find(name, at + 1)


def _location_box(file: IO[bytes]) -> bytes:
    """The content of `iloc` in `meta`; empty where there is none."""
    file.seek(0, 2)
    for start, end in places(file, (b"meta",), 0, file.tell()):
        for first, last in places(file, (b"iloc",), start + 4, end):  # behind version and flags
            file.seek(first)
            return file.read(last - first)
    return b""


def places(
    file: IO[bytes], path: tuple[bytes, ...], start: int, end: int
) -> Iterator[tuple[int, int]]:
    """Where the contents of all boxes begin and end that `path` leads to, from the boxes
    between two places on. Raises SyntaxError where there are more than any program writes."""
    for _box in range(_MOST_BOXES):
        if start + 8 > end:
            return
        file.seek(start)
        head = file.read(16)
        size, content = int.from_bytes(head[:4], "big"), start + 8
        if size == 1:
            size, content = int.from_bytes(head[8:16], "big"), start + 16
        elif size == 0:
            size = end - start
        if size < 8:
            return
        if head[4:8] == path[0]:
            found = content, min(start + size, end)
            if len(path) == 1:
                yield found
            else:
                yield from places(file, path[1:], *found)
        start += size
    raise SyntaxError(f"more than {_MOST_BOXES} boxes beside one another")


def content(file: IO[bytes], path: tuple[bytes, ...], start: int, end: int) -> bytes:
    """What the first of them holds, or how it begins; empty where there is none."""
    for first, last in places(file, path, start, end):
        file.seek(first)
        return file.read(min(last - first, _MOST_CONTENT))
    return b""


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

"""The boxes of HEIF and AVIF files: those that determine the cost of decoding, the frames and
the colours.

Sources: ISO/IEC 14496-12 (boxes, `iloc`, `colr`), ISO/IEC 23008-12, 9.3 (`iprp`),
AV1-ISOBMFF 2.3.3 (`av1C`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

# Bytes of a file that `is_container` needs.
HEAD = 12
# The most that all items together may have: this multiple of the file's size, plus slack. Items
# may overlap, and readers copy each of them: a few hundred bytes could be read a million times.
_MOST_TIMES = 2
_SLACK = 1024**2
# The most sibling boxes, and the most bytes that `content` returns.
_MOST_BOXES = 10_000
_MOST_CONTENT = 1024
# Bytes in which `av1C` is searched, since the description comes before the pixels; also the
# most that is read of any other box.
_DESCRIPTION = 1024**2


def is_container(head: bytes) -> bool:
    return head[4:8] == b"ftyp"


def check(file: IO[bytes]) -> None:
    """Raise SyntaxError if the items together are much larger than the file, or if the picture
    is an overlay, whose size is stored elsewhere."""
    if is_overlaid(file):
        raise SyntaxError("pictures that lie over one another")
    file.seek(0, 2)
    size = file.tell()
    total = sum(length or size for length in _lengths(_location_box(file)))
    if total > _MOST_TIMES * size + _SLACK:
        raise SyntaxError(f"{total} bytes of items in a file of {size}")


def is_overlaid(file: IO[bytes]) -> bool:
    """Return whether pictures are overlaid on a canvas (`iovl`), which may be far larger than
    the declared size of the picture. No camera writes such files."""
    size = file.seek(0, 2)
    for start, end in places(file, (b"meta",), 0, size):
        for place in places(file, (b"iinf",), start + 4, end):  # behind version and flags
            if b"iovl" in _read(file, place):
                return True
    return False


def lacks_end(file: IO[bytes]) -> bool:
    """Return whether the last box extends beyond the end of the file."""
    size, at = file.seek(0, 2), 0
    while at + 8 <= size:
        file.seek(at)
        head = file.read(16)
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        if length < 8:  # 0: up to the end
            return length != 0
        at += length
    return at > size


def is_deep_av1(file: IO[bytes]) -> bool:
    """Return whether a picture of the file has, or may have, more than 8 bits a channel."""
    file.seek(0)
    description = file.read(_DESCRIPTION)
    starts = [at + 4 for at in _found(description, b"av1C")]
    return not starts or any(
        len(description) > at + 2 and description[at + 2] & 0x40 for at in starts
    )


def nclx(file: IO[bytes]) -> dict[str, int] | None:
    """Return the code points of the main picture under the names of pillow-heif, or None."""
    meta = _child(file, b"meta", 0, file.seek(0, 2))
    inner = (meta[0] + 4, meta[1]) if meta else (0, 0)  # behind version and flags
    properties = _child(file, b"iprp", *inner) or (0, 0)
    container = _child(file, b"ipco", *properties) or (0, 0)
    boxes = list(_all(file, *container))
    main = _read(file, _child(file, b"pitm", *inner))
    number = int.from_bytes(main[4 : 8 if main[:1] == b"\1" else 6], "big")
    for index in _associated(_read(file, _child(file, b"ipma", *properties)), number):
        name, start, end = boxes[index - 1] if 0 < index <= len(boxes) else (b"", 0, 0)
        values = _read(file, (start, min(end, start + 11))) if name == b"colr" else b""
        if values[:4] == b"nclx" and len(values) == 11:
            return {
                "color_primaries": int.from_bytes(values[4:6], "big"),
                "transfer_characteristics": int.from_bytes(values[6:8], "big"),
            }
    return None


def _associated(box: bytes, number: int) -> Iterator[int]:
    """Yield the numbers of an item's properties, counted from 1 (`ipma`)."""
    if len(box) < 8:
        return
    wide, large = 4 if box[0] else 2, box[3] & 1
    at, items = 8, int.from_bytes(box[4:8], "big")
    for _item in range(items):
        if at >= len(box):
            return
        item, count = int.from_bytes(box[at : at + wide], "big"), box[at + wide : at + wide + 1]
        at += wide + 1
        for _property in range(count[0] if count else 0):
            value = int.from_bytes(box[at : at + 1 + large], "big")
            at += 1 + large
            if item == number:
                yield value & (0x7FFF if large else 0x7F)


def _found(data: bytes, name: bytes) -> Iterator[int]:
    at = data.find(name)
    while at >= 0:
        yield at
        at = data.find(name, at + 1)


def _location_box(file: IO[bytes]) -> bytes:
    """Return the content of `iloc` in `meta`; empty if absent."""
    meta = _child(file, b"meta", 0, file.seek(0, 2))
    if meta is None:
        return b""
    place = _child(file, b"iloc", meta[0] + 4, meta[1])
    return _read(file, place, most=meta[1])


def _read(file: IO[bytes], place: tuple[int, int] | None, most: int = _DESCRIPTION) -> bytes:
    if place is None:
        return b""
    file.seek(place[0])
    return file.read(min(most, place[1] - place[0]))


def _child(file: IO[bytes], name: bytes, start: int, end: int) -> tuple[int, int] | None:
    """Return start and end of the content of the first box `name` between two offsets."""
    return next(places(file, (name,), start, end), None)


def places(
    file: IO[bytes], path: tuple[bytes, ...], start: int, end: int
) -> Iterator[tuple[int, int]]:
    """Yield start and end of the content of every box at `path`, beginning with the boxes
    between two offsets. Raises SyntaxError for more boxes than any program writes."""
    for name, *found in _all(file, start, end):
        if name != path[0]:
            continue
        if len(path) == 1:
            yield found[0], found[1]
        else:
            yield from places(file, path[1:], *found)


def _all(file: IO[bytes], start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield the name of each box between two offsets, and start and end of its content. Raises
    SyntaxError as `places` does."""
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
        yield head[4:8], content, min(start + size, end)
        start += size
    raise SyntaxError(f"more than {_MOST_BOXES} boxes beside one another")


def content(file: IO[bytes], path: tuple[bytes, ...], start: int, end: int) -> bytes:
    """Return the content of the first box at `path`, or its beginning; empty if absent."""
    return _read(file, next(places(file, path, start, end), None), most=_MOST_CONTENT)


def _lengths(box: bytes) -> Iterator[int]:
    """Yield the length of each extent of each item; 0 means the whole file."""
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

"""The directories of a TIFF, and which of their entries the pixels need.

Sources: TIFF 6.0, sections 2 and 8; TIFF, Adobe PageMaker 6.0 Technical Notes (SubIFDs);
BigTIFF; DNG 1.7.1.0.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from typing import IO, NamedTuple

from PIL import Image

from gallery.pixels.spliced import Piece, Spliced, size_of

# The third and the fourth are not valid, but Pillow accepts them. The last two are BigTIFF.
_ORDERS = {
    b"II*\0": "<", b"MM\0*": ">", b"MM*\0": ">", b"II\0*": "<", b"II+\0": "<", b"MM\0+": ">",
}  # fmt: skip
_BIG = {b"II+\0", b"MM\0+"}
MOST_ENTRIES = 4_096
MOST_DIRECTORIES = 64
# Strips or tiles: as many as 75 megapixels have in tiles of 16 x 16 pixels.
MOST_PLACES = 300_000

SUBFILE, WIDTH, HEIGHT, COMPRESSION, PHOTOMETRIC, MAKE = 254, 256, 257, 259, 262, 271
_BITS, _SAMPLES, _PLANES, _FORMATS = 258, 277, 284, 339
# None, CCITT, LZW, both of JPEG, both of Deflate, PackBits, LZMA, Zstandard.
_READ_COMPRESSION = {1, 2, 3, 4, 5, 6, 7, 8, 32771, 32773, 32946, 34925, 50000}
_UNSIGNED, _SIGNED, _FLOAT, _UNDEFINED = 1, 2, 3, 4
# Formats and bits of the samples that decoders read, in grey and in colour.
_READ_GREY = {(_UNSIGNED, 16), (_SIGNED, 16), (_SIGNED, 32), (_FLOAT, 32)}
_READ_COLOUR = {(_UNSIGNED, 16)}
OFFSETS, COUNTS, TILE_OFFSETS, TILE_COUNTS, SUB_IFDS = 273, 279, 324, 325, 330
_PROFILE, _XMP, _EXIF, _GPS = 34675, 700, 34665, 34853
# The tags that decoders read: sizes, samples, strips, tiles, colour maps, JPEG tables, YCbCr.
_OF_PIXELS = {
    *(256, 257, 258, 259, 262, 266, 273, 274, 277, 278, 279, 284, 292, 293, 297, 317, 320),
    *(322, 323, 324, 325, 332, 334, 338, 339, 340, 341, 347, 512, 513, 514, 515, 517, 518),
    *(519, 520, 521, 529, 530, 531, 532, _PROFILE),
}
# Tags of texts, further directories and other metadata, and the types that they must have.
_FACTS = {
    **dict.fromkeys((270, 271, 272, 305, 306, 315, 316, 33432), frozenset({2})),
    **dict.fromkeys((_EXIF, _GPS), frozenset({3, 4, 13, 16, 18})),
    **dict.fromkeys((_XMP, 33723, 34377), frozenset({1, 4, 7})),
}
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4,
          16: 8, 17: 8, 18: 8}  # fmt: skip
_NUMBERS = {1: "B", 3: "H", 4: "L", 13: "L", 16: "Q", 18: "Q"}


class Entry(NamedTuple):
    """`place` is the offset of the value, which lies in the entry itself or elsewhere."""

    tag: int
    kind: int
    values: int
    place: int
    raw: bytes

    @property
    def size(self) -> int:
        """The size of the value in bytes; 0 if the type is unknown."""
        return _SIZES.get(self.kind, 0) * self.values


@dataclass(frozen=True)
class Directory:
    entries: list[Entry]
    start: int
    end: int
    next: int


class Tiff:
    """Reads directories. Raises SyntaxError if the file is not a TIFF or cannot be read."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.size = file, size_of(file)
        file.seek(0)
        head = file.read(4)
        if head not in _ORDERS:
            raise SyntaxError("no TIFF")
        self.order, self.is_big = _ORDERS[head], head in _BIG
        where = ("Q", 8) if self.is_big else ("L", 4)
        (self.first,) = self._unpack(where[0], where[1])

    def directory(self, start: int) -> Directory:
        word, head, size = ("Q", 8, 20) if self.is_big else ("H", 2, 12)
        (count,) = self._unpack(word, start)
        if count > MOST_ENTRIES:
            raise SyntaxError(f"{count} entries")
        self.file.seek(start + head)
        data = self.file.read(count * size)
        if len(data) < count * size:
            raise SyntaxError("cut off")
        entries = [
            self._entry(data[at : at + size], start + head + at) for at in range(0, len(data), size)
        ]
        end = start + head + len(data)
        try:
            (following,) = self._unpack("Q" if self.is_big else "L", end)
        except SyntaxError:  # the last one may lack it
            following = 0
        return Directory(entries, start, end, following)

    def directories(self) -> Iterator[Directory]:
        """Yield the first directory, its SubIFDs, and then each following one with its own. A
        directory that cannot be read ends its chain, but the first one raises SyntaxError."""
        seen: set[int] = set()
        waiting = [self.first]
        while waiting and len(seen) < MOST_DIRECTORIES:
            start = waiting.pop(0)
            if start in seen or not start:
                continue
            seen.add(start)
            try:
                found = self.directory(start)
            except SyntaxError:
                if start == self.first:
                    raise
                continue
            yield found
            waiting = [*self.numbers(found, SUB_IFDS), *waiting, found.next]

    def numbers(self, directory: Directory, tag: int) -> list[int]:
        """Return the integers of a tag; none if it is absent, of another type or truncated."""
        entry = next((one for one in directory.entries if one.tag == tag), None)
        if entry is None or entry.kind not in _NUMBERS or entry.values > MOST_PLACES:
            return []
        self.file.seek(entry.place)
        data = self.file.read(entry.size)
        if len(data) < entry.size:
            return []
        return list(struct.unpack(f"{self.order}{entry.values}{_NUMBERS[entry.kind]}", data))

    def number(self, directory: Directory, tag: int, default: int = 0) -> int:
        return next(iter(self.numbers(directory, tag)), default)

    def _entry(self, raw: bytes, at: int) -> Entry:
        tag, kind, count = struct.unpack_from(self.order + ("HHQ" if self.is_big else "HHL"), raw)
        inline = 8 if self.is_big else 4
        place = at + len(raw) - inline
        if _SIZES.get(kind, 0) * count > inline:
            (place,) = struct.unpack(self.order + ("Q" if self.is_big else "L"), raw[-inline:])
        return Entry(tag, kind, count, place, raw)

    def _unpack(self, layout: str, start: int) -> tuple[int, ...]:
        self.file.seek(start)
        try:
            layout = self.order + layout
            return struct.unpack(layout, self.file.read(struct.calcsize(layout)))
        except struct.error as error:
            raise SyntaxError("cut off") from error


class OnDisk(Spliced):
    """Gives libtiff access to the source, which it reads by file number or as bytes."""

    def __init__(self, file: IO[bytes], pieces: list[Piece | bytes]) -> None:
        super().__init__(file, pieces)
        for way in ("fileno", "getvalue"):
            if hasattr(file, way):
                setattr(self, way, getattr(file, way))


def is_tiff(head: bytes) -> bool:
    return head[:4] in _ORDERS


def pixels_alone(file: IO[bytes]) -> Spliced:
    """Return the file with a first directory that has only the entries that the pixels need.
    Raises SyntaxError."""
    return _with(file, _OF_PIXELS, {})


def with_facts(file: IO[bytes]) -> Spliced:
    """Return the same with well-formed entries about camera, date and position."""
    return _with(file, _OF_PIXELS, _FACTS)


def _with(file: IO[bytes], tags: Set[int], facts: Mapping[int, Set[int]]) -> Spliced:
    tiff = Tiff(file)
    first = tiff.directory(tiff.first)
    kept = [
        entry.raw
        for entry in first.entries
        if _fits(entry, tiff.size) and (entry.tag in tags or entry.kind in facts.get(entry.tag, ()))
    ]
    count = struct.pack(tiff.order + ("Q" if tiff.is_big else "H"), len(kept))
    after = struct.pack(tiff.order + ("Q" if tiff.is_big else "L"), first.next)
    content = count + b"".join(kept) + after
    behind = first.start + len(content)
    return OnDisk(file, [Piece(0, first.start), content, Piece(behind, max(0, tiff.size - behind))])


def _fits(entry: Entry, size: int) -> bool:
    """Return whether the value lies within the file and, for an ICC profile, has a right type."""
    if entry.tag == _PROFILE and entry.kind not in (1, 7):
        return False
    return entry.size > 0 and entry.place + entry.size <= size


def lacks_end(file: IO[bytes]) -> bool:
    """Return whether a strip or tile of the first picture extends beyond the end of the file."""
    tiff = Tiff(file)
    first = tiff.directory(tiff.first)
    for offsets, counts in ((OFFSETS, COUNTS), (TILE_OFFSETS, TILE_COUNTS)):
        places = tiff.numbers(first, offsets)
        lengths = tiff.numbers(first, counts) or [1] * len(places)
        if any(at + length > tiff.size for at, length in zip(places, lengths, strict=False)):
            return True
    return False


def is_read(file: IO[bytes]) -> bool:
    """Return whether decoders read the samples of the first picture correctly. They refuse
    others, or misread them: unsigned 32 bits as signed ones, two bytes of a plane as two pixels.
    Raises SyntaxError."""
    tiff = Tiff(file)
    first = tiff.directory(tiff.first)
    bits = set(tiff.numbers(first, _BITS)) or {1}
    samples = tiff.number(first, _SAMPLES, 1)
    formats = tiff.numbers(first, _FORMATS)
    kinds = {_UNSIGNED if kind == _UNDEFINED else kind for kind in formats} or {_UNSIGNED}
    if tiff.number(first, COMPRESSION, 1) not in _READ_COMPRESSION:
        return False
    if len(bits) > 1 or len(kinds) > 1:
        return True  # the libraries decide
    layout = (kinds.pop(), bits.pop())
    if layout[1] <= 8:
        return layout[0] not in (_SIGNED, _FLOAT)
    if samples == 1:
        return layout in _READ_GREY or layout == (_UNSIGNED, 12)
    return layout in _READ_COLOUR and samples > 2 and tiff.number(first, _PLANES, 1) == 1


def is_white_zero(image: Image.Image) -> bool:
    """Return whether the smallest value of an open TIFF is white. Pillow inverts 8 bits itself."""
    return getattr(image, "tag_v2", {}).get(PHOTOMETRIC) == 0

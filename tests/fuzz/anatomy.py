"""The places of a file where a format states sizes, counts, depths and offsets.

A wrong number there has far larger effects than a wrong bit among the pixels.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum


class Kind(Enum):
    SIDE = "side"  # width or height
    COUNT = "count"
    DEPTH = "depth"  # bits, channels, kinds of compression and colour
    PLACE = "place"  # offset into the file
    LENGTH = "length"
    OTHER = "other"


@dataclass(frozen=True)
class Field:
    """A number at `offset` of `size` bytes; `order` is "big" or "little"."""

    offset: int
    size: int
    order: str
    kind: Kind


@dataclass
class Anatomy:
    """`parts` are the consecutive parts of a file: chunks, segments, boxes, blocks."""

    fields: list[Field] = field(default_factory=list)
    parts: list[range] = field(default_factory=list)

    def add(self, kind: Kind, order: str, *places: tuple[int, int]) -> None:
        self.fields += [Field(offset, size, order, kind) for offset, size in places]


def anatomy_of(data: bytes) -> Anatomy:
    """Return as much as can be recognised. Earlier changes may be in the way."""
    anatomy = Anatomy()
    for magic, at, read in _FORMATS:
        if data[at : at + len(magic)] == magic:
            try:
                read(data, anatomy)
            except (struct.error, IndexError):
                break
    end = len(data)
    anatomy.fields = [f for f in anatomy.fields if f.offset >= 0 and f.offset + f.size <= end]
    anatomy.parts = [part for part in anatomy.parts if part.stop <= end and len(part) > 0]
    return anatomy


def repaired(data: bytes) -> bytes:
    """Return the file with correct checksums and total length: a decoder that stops there shows
    nothing about the rest."""
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        whole = bytearray(data)
        for start, length, _kind in _png_chunks(data):
            end = start + 8 + length
            if end + 4 <= len(whole):
                struct.pack_into(">L", whole, end, zlib.crc32(whole[start + 4 : end]))
        return bytes(whole)
    if data[:4] == b"RIFF":
        return data[:4] + struct.pack("<L", (len(data) - 8) & 0xFFFFFFFF) + data[8:]
    return data


# --- PNG ------------------------------------------------------------------------


def _png_chunks(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    position = 8
    while position + 8 <= len(data):
        length, kind = struct.unpack_from(">L4s", data, position)
        yield position, length, kind
        position += 12 + length


def _png(data: bytes, anatomy: Anatomy) -> None:
    for start, length, kind in _png_chunks(data):
        anatomy.parts.append(range(start, start + 12 + length))
        anatomy.add(Kind.LENGTH, "big", (start, 4))
        body = start + 8
        if kind == b"IHDR":
            anatomy.add(Kind.SIDE, "big", (body, 4), (body + 4, 4))
            anatomy.add(Kind.DEPTH, "big", *((body + 8 + n, 1) for n in range(5)))
        elif kind == b"acTL":
            anatomy.add(Kind.COUNT, "big", (body, 4), (body + 4, 4))
        elif kind == b"fcTL":
            anatomy.add(Kind.SIDE, "big", (body + 4, 4), (body + 8, 4))
            anatomy.add(Kind.PLACE, "big", (body, 4), (body + 12, 4), (body + 16, 4))
            anatomy.add(Kind.DEPTH, "big", (body + 24, 1), (body + 25, 1))
        elif kind == b"eXIf":
            _ifds(data, anatomy, body, data[body : body + 2] == b"II")


# --- JPEG -----------------------------------------------------------------------

_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}


def _jpeg(data: bytes, anatomy: Anatomy) -> None:
    position = 2
    while position + 4 <= len(data):
        if data[position] != 0xFF or data[position + 1] in (0x00, 0xFF, *range(0xD0, 0xD9)):
            position += 1  # coded pixels
            continue
        marker = data[position + 1]
        (length,) = struct.unpack_from(">H", data, position + 2)
        body = position + 4
        anatomy.parts.append(range(position, position + 2 + length))
        anatomy.add(Kind.LENGTH, "big", (position + 2, 2))
        anatomy.add(Kind.DEPTH, "big", (position + 1, 1))
        if marker in _FRAMES:
            anatomy.add(Kind.DEPTH, "big", (body, 1), (body + 5, 1))
            anatomy.add(Kind.SIDE, "big", (body + 1, 2), (body + 3, 2))
            anatomy.add(Kind.DEPTH, "big", *((body + 7 + 3 * n, 1) for n in range(4)))
        elif marker == 0xDA:
            anatomy.add(Kind.COUNT, "big", (body, 1))
            anatomy.add(Kind.OTHER, "big", *((body + 1 + n, 1) for n in range(length - 3)))
        elif marker == 0xDD:
            anatomy.add(Kind.COUNT, "big", (body, 2))
        elif marker == 0xC4:
            anatomy.add(Kind.COUNT, "big", *((body + n, 1) for n in range(17)))
        elif marker == 0xE1 and data[body : body + 4] == b"Exif":
            _ifds(data, anatomy, body + 6, data[body + 6 : body + 8] == b"II")
        elif marker == 0xE2 and data[body : body + 4] == b"MPF\x00":
            _ifds(data, anatomy, body + 4, data[body + 4 : body + 6] == b"II")
        position += 2 + length


# --- WebP -----------------------------------------------------------------------


def _webp(data: bytes, anatomy: Anatomy, position: int = 12, stop: int | None = None) -> None:
    anatomy.add(Kind.LENGTH, "little", (4, 4))
    while position + 8 <= (stop or len(data)):
        kind = data[position : position + 4]
        (length,) = struct.unpack_from("<L", data, position + 4)
        body = position + 8
        anatomy.parts.append(range(position, body + length + length % 2))
        anatomy.add(Kind.LENGTH, "little", (position + 4, 4))
        if kind == b"VP8X":
            anatomy.add(Kind.DEPTH, "little", (body, 1))
            anatomy.add(Kind.SIDE, "little", (body + 4, 3), (body + 7, 3))
        elif kind == b"ANMF":
            anatomy.add(Kind.PLACE, "little", (body, 3), (body + 3, 3))
            anatomy.add(Kind.SIDE, "little", (body + 6, 3), (body + 9, 3))
            anatomy.add(Kind.DEPTH, "little", (body + 15, 1))
            _webp(data, anatomy, body + 16, body + length)
        elif kind == b"VP8 ":
            anatomy.add(Kind.SIDE, "little", (body + 6, 2), (body + 8, 2))
            anatomy.add(Kind.OTHER, "little", *((body + n, 1) for n in range(6)))
        elif kind == b"VP8L":
            anatomy.add(Kind.SIDE, "little", (body + 1, 4))
            anatomy.add(Kind.OTHER, "little", *((body + n, 1) for n in range(5, 20)))
        elif kind == b"ALPH":
            anatomy.add(Kind.DEPTH, "little", (body, 1))
        elif kind == b"EXIF":
            _ifds(data, anatomy, body, data[body : body + 2] == b"II")
        position = body + length + length % 2


# --- AVIF and HEIC ----------------------------------------------------------------

_FOLDERS = {b"meta": 4, b"iprp": 0, b"ipco": 0, b"iref": 4, b"moov": 0, b"trak": 0}
_FOLDERS |= {b"mdia": 0, b"minf": 0, b"stbl": 0, b"iinf": 6, b"dinf": 0}


def _heif(data: bytes, anatomy: Anatomy, position: int = 0, stop: int | None = None) -> None:
    while position + 8 <= (stop or len(data)):
        size, kind = struct.unpack_from(">L4s", data, position)
        size = size or len(data) - position
        body, end = position + 8, position + size
        # A box may claim to be far longer than the file.
        inside = min(end, body + 400)
        if size < 8:
            return
        anatomy.parts.append(range(position, end))
        anatomy.add(Kind.LENGTH, "big", (position, 4))
        if kind in _FOLDERS:
            if kind == b"iinf":
                anatomy.add(Kind.COUNT, "big", (body + 4, 2))
            _heif(data, anatomy, body + _FOLDERS[kind], end)
        elif kind in (b"ispe", b"clap", b"tkhd"):
            start = body + (4 if kind == b"ispe" else 0)
            anatomy.add(Kind.SIDE, "big", *((at, 4) for at in range(start, inside - 3, 4)))
        elif kind in (b"pixi", b"av1C", b"hvcC", b"irot", b"imir", b"auxC", b"colr", b"ipma"):
            anatomy.add(Kind.DEPTH, "big", *((at, 1) for at in range(body, min(inside, body + 40))))
        elif kind in (b"iloc", b"stco", b"stsz", b"stsc", b"stts"):
            places = range(body + 6, inside - 3)
            anatomy.add(Kind.PLACE, "big", *((at, 2) for at in places[::2]))
            anatomy.add(Kind.PLACE, "big", *((at, 4) for at in places[::4]))
        elif kind == b"idat":
            # The layouts of grids and overlays lie between the coded pictures.
            anatomy.add(Kind.SIDE, "big", *((at, 4) for at in range(max(body, end - 24), end - 3)))
            anatomy.add(Kind.COUNT, "big", *((at, 1) for at in range(max(body, end - 24), end)))
        elif kind in (b"dimg", b"cdsc", b"auxl", b"thmb", b"pitm"):
            anatomy.add(Kind.COUNT, "big", *((at, 2) for at in range(body, inside - 1, 2)))
        position = end


# --- GIF ------------------------------------------------------------------------


def _gif(data: bytes, anatomy: Anatomy) -> None:
    anatomy.add(Kind.SIDE, "little", (6, 2), (8, 2))
    anatomy.add(Kind.DEPTH, "little", (10, 1), (11, 1))
    position = 13 + (3 << ((data[10] & 7) + 1) if data[10] & 0x80 else 0)
    while position < len(data) and data[position] in (0x21, 0x2C):
        start = position
        if data[position] == 0x2C:
            anatomy.add(Kind.PLACE, "little", (position + 1, 2), (position + 3, 2))
            anatomy.add(Kind.SIDE, "little", (position + 5, 2), (position + 7, 2))
            flags = data[position + 9]
            anatomy.add(Kind.DEPTH, "little", (position + 9, 1))
            position += 10 + (3 << ((flags & 7) + 1) if flags & 0x80 else 0)
            anatomy.add(Kind.DEPTH, "little", (position, 1))
            position += 1
        else:
            anatomy.add(Kind.DEPTH, "little", (position + 1, 1), (position + 3, 1))
            position += 2
        while data[position]:
            anatomy.add(Kind.LENGTH, "little", (position, 1))
            position += 1 + data[position]
        position += 1
        anatomy.parts.append(range(start, position))


# --- TIFF and EXIF ----------------------------------------------------------------

_SIDES = {256, 257, 278, 322, 323}
_DEPTHS = {258, 259, 262, 266, 274, 277, 284, 317, 338, 339, 530}
_PLACES = {273, 279, 324, 325, 330, 34665, 34853, 513, 514}


def _tiff(data: bytes, anatomy: Anatomy) -> None:
    _ifds(data, anatomy, 0, data[:2] == b"II")


def _ifds(data: bytes, anatomy: Anatomy, base: int, little: bool) -> None:
    """Return the consecutive directories. Offsets count from `base`."""
    order, sign = ("little", "<") if little else ("big", ">")
    big = struct.unpack_from(f"{sign}H", data, base + 2)[0] == 43
    word, entry_size, long = ("Q", 20, 8) if big else ("L", 12, 4)
    head = base + (8 if big else 4)
    anatomy.add(Kind.PLACE, order, (head, long))
    (position,) = struct.unpack_from(f"{sign}{word}", data, head)
    seen: set[int] = set()
    while position and position not in seen and len(seen) < 8:
        seen.add(position)
        start = base + position
        (count,) = struct.unpack_from(f"{sign}{'Q' if big else 'H'}", data, start)
        counter = 8 if big else 2
        anatomy.add(Kind.COUNT, order, (start, counter))
        for number in range(min(count, 100)):
            entry = start + counter + number * entry_size
            tag, kind = struct.unpack_from(f"{sign}HH", data, entry)
            anatomy.parts.append(range(entry, entry + entry_size))
            anatomy.add(Kind.DEPTH, order, (entry + 2, 2))
            anatomy.add(Kind.COUNT, order, (entry + 4, long))
            value = entry + 4 + long
            meaning = Kind.SIDE if tag in _SIDES else Kind.DEPTH if tag in _DEPTHS else Kind.OTHER
            meaning = Kind.PLACE if tag in _PLACES else meaning
            anatomy.add(meaning, order, (value, 2 if kind == 3 else long))
        after = start + counter + count * entry_size
        anatomy.add(Kind.PLACE, order, (after, long))
        (position,) = struct.unpack_from(f"{sign}{word}", data, after)


# --- BMP ------------------------------------------------------------------------


def _bmp(data: bytes, anatomy: Anatomy) -> None:
    anatomy.add(Kind.LENGTH, "little", (2, 4), (14, 4), (34, 4))
    anatomy.add(Kind.PLACE, "little", (10, 4))
    anatomy.add(Kind.SIDE, "little", (18, 4), (22, 4))
    anatomy.add(Kind.DEPTH, "little", (26, 2), (28, 2), (30, 4), (46, 4), (50, 4))


_FORMATS: tuple[tuple[bytes, int, Callable[[bytes, Anatomy], None]], ...] = (
    (b"\x89PNG", 0, _png),
    (b"\xff\xd8", 0, _jpeg),
    (b"WEBP", 8, _webp),
    (b"ftyp", 4, _heif),
    (b"GIF8", 0, _gif),
    (b"II", 0, _tiff),
    (b"MM", 0, _tiff),
    (b"BM", 0, _bmp),
)

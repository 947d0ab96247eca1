"""The segments of a JPEG, and which of them the pixels need.

Pillow keeps every segment before the first scan, refuses a picture if one of them is too short,
and reads bytes between segments one by one. It therefore gets only the segments that the pixels
need, and others that are small and well-formed.

Sources: ITU-T T.81, annex B; T.871 (JFIF); T.872 (Adobe); ICC.1:2022, B.4.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO, NamedTuple

from gallery.pixels.spliced import Piece, Spliced

# Segments before the first scan. Each has at most 64 kB.
MOST_SEGMENTS = 2_000
MOST_OF_A_KIND = 4 * 1024**2

_SOI, _EOI, SOS, _DQT, _DRI = 0xD8, 0xD9, 0xDA, 0xDB, 0xDD
_ALONE = {0x01, *range(0xD0, 0xD9)}
_OF_PIXELS = {*range(0xC0, 0xD0), _DQT, _DRI, SOS} - {0xC8}
# Names of the segments that decoders and readers of metadata know, with their least lengths.
_JFIF, _ADOBE, _PROFILE = b"JFIF\0", b"Adobe", b"ICC_PROFILE\0"
_KNOWN = {
    (0xE0, _JFIF): 14,
    (0xEE, _ADOBE): 12,
    (0xE2, _PROFILE): 15,
}
_FACTS = {
    (0xE1, b"Exif\0\0"): 14,
    (0xE1, b"http://ns.adobe.com/xap/1.0/\0"): 30,
    (0xE2, b"MPF\0"): 12,
    (0xED, b"Photoshop 3.0\0"): 26,
}
_LONGEST_NAME = 32
_MARKER = re.compile(rb"\xff[^\x00\xff]", re.DOTALL)
_BLOCK = 64 * 1024
END = bytes((0xFF, _EOI))


class Segment(NamedTuple):
    """`start` is the offset of the marker; `length` includes marker and length field."""

    marker: int
    start: int
    length: int


def is_jpeg(head: bytes) -> bool:
    return head[:2] == b"\xff\xd8"


def pixels_alone(file: IO[bytes]) -> Spliced:
    """Return the picture without anything that its pixels do not need. Raises SyntaxError for
    more than MOST_SEGMENTS."""
    return Spliced(file, _pieces(file, _KNOWN))


def with_facts(file: IO[bytes]) -> Spliced:
    """Return the picture with EXIF, XMP and IPTC, unless they are too large."""
    return Spliced(file, _pieces(file, {**_KNOWN, **_FACTS}))


def with_end(file: IO[bytes]) -> Spliced:
    """Return `pixels_alone` with the end marker that the file lacks: the decoder then fills the
    missing part."""
    return Spliced(file, [*_pieces(file, _KNOWN), END])


def lacks_end(file: IO[bytes]) -> bool:
    """Return whether no EOI follows the first scan. In the data of a scan, only 0x00 or RST may
    follow 0xFF."""
    scan = next((found for found in segments(file) if found.marker == SOS), None)
    if scan is None:
        return True
    file.seek(scan.start + scan.length)
    last = b""
    while block := file.read(_BLOCK * 16):
        if END in last + block:
            return False
        last = block[-1:]
    return True


def segments(file: IO[bytes]) -> Iterator[Segment]:
    """Yield the segments up to the first scan, whose data is not included. Other bytes are
    skipped."""
    at = 2
    for _number in range(MOST_SEGMENTS):
        found = _marker(file, at)
        if found is None:
            return
        marker, at = found
        if marker in _ALONE:
            at += 2
            continue
        if marker == _EOI:
            return
        file.seek(at + 2)
        length = 2 + int.from_bytes(file.read(2), "big")
        yield Segment(marker, at, length)
        at += max(length, 4)
        if marker == SOS:
            return
    raise SyntaxError(f"more than {MOST_SEGMENTS} segments")


def _marker(file: IO[bytes], at: int) -> tuple[int, int] | None:
    """Return the first marker at or after the offset `at`, and its offset."""
    file.seek(at)
    while len(block := file.read(_BLOCK)) > 1:
        if found := _MARKER.search(block):
            return block[found.start() + 1], at + found.start()
        at += len(block) - 1  # the last byte may begin a marker
        file.seek(at)
    return None


def _pieces(file: IO[bytes], known: dict[tuple[int, bytes], int]) -> list[Piece | bytes]:
    pieces: list[Piece | bytes] = [bytes((0xFF, _SOI))]
    left = dict.fromkeys(known, MOST_OF_A_KIND)
    for segment in segments(file):
        kind = _kind(file, segment, known)
        if kind is not None:
            left[kind] -= segment.length
        if segment.marker in _OF_PIXELS or (kind is not None and left[kind] >= 0):
            pieces.append(Piece(segment.start, segment.length))
        if segment.marker == SOS:
            end = segment.start + segment.length
            pieces.append(Piece(end, max(0, file.seek(0, 2) - end)))
    return pieces


def _kind(
    file: IO[bytes], segment: Segment, known: dict[tuple[int, bytes], int]
) -> tuple[int, bytes] | None:
    """Return marker and name of a known segment, unless it is shorter than it must be."""
    file.seek(segment.start + 4)
    begin = file.read(_LONGEST_NAME)
    for (marker, name), least in known.items():
        if segment.marker == marker and begin.startswith(name) and segment.length - 4 >= least:
            return marker, name
    return None

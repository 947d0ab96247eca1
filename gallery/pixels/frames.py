"""The number of frames of a file, counted from its structure. Nothing is decoded, and only a
limited number of blocks is read.

Pages of a TIFF and further pictures of an MPO or HEIC file do not count as frames.

Sources: PNG (third edition), 11.3.5; RFC 9649, 2.7.1; ISO/IEC 14496-12,
8.4 and 8.7.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from gallery.pixels import boxes, gif, webp

# The most chunks of a file that are read.
_MOST_CHUNKS = 1_000_000

_PNG = b"\x89PNG\r\n\x1a\n"
# Brands of image sequences.
_SEQUENCES = {b"avis", b"msf1", b"hevc", b"hevx"}


@dataclass(frozen=True)
class Frames:
    """`duration` is that of one loop in seconds; None if the file does not say, or has one
    frame."""

    count: int = 1
    duration: float | None = None


def read_frames(file: IO[bytes]) -> Frames:
    """Count the frames of an accepted picture. Of a truncated file, those that are there
    count."""
    file.seek(0)
    head = file.read(webp.HEAD)
    if len(head) < webp.HEAD:
        return Frames()
    if head[:6] in gif.SIGNATURES:
        delays = list(_gif(file))
    elif head[:8] == _PNG:
        delays = list(_png(file))
    elif webp.is_webp(head):
        delays = list(_webp(file, head))
    elif boxes.is_container(head):
        return _container(file)
    else:
        return Frames()
    return _frames(len(delays), sum(delays))


def _frames(count: int, duration: float) -> Frames:
    if count < 2:
        return Frames()
    return Frames(count, round(duration, 3) if duration > 0 else None)


# --- Delays of the frames, in seconds, one by one -----------------------------------


def _gif(file: IO[bytes]) -> Iterator[float]:
    delay = 0.0
    for part in gif.read_parts(file):
        if part.kind == gif.CONTROL and len(part.first) >= 4:
            delay = int.from_bytes(part.first[1:3], "little") / 100
        elif part.kind == gif.IMAGE:
            yield delay
            delay = 0.0


def _png(file: IO[bytes]) -> Iterator[float]:
    """Yield delays of an APNG: those of frames that exist, if the animation is announced before
    the pixels."""
    file.seek(len(_PNG))
    announced = False
    for _chunk in range(_MOST_CHUNKS):
        start = file.read(8)
        if len(start) < 8:
            return
        length, kind = int.from_bytes(start[:4], "big"), start[4:]
        content = file.read(length) if kind == b"fcTL" and length == 26 else b""
        announced |= kind == b"acTL"
        if kind == b"IDAT" and not announced:
            return
        if content and announced:
            over = int.from_bytes(content[22:24], "big") or 100
            yield int.from_bytes(content[20:22], "big") / over
        file.seek(length - len(content) + 4, os.SEEK_CUR)


def _webp(file: IO[bytes], head: bytes) -> Iterator[float]:
    if head[12:16] != b"VP8X" or not head[20] & 2:
        return
    file.seek(12)
    for _chunk in range(_MOST_CHUNKS):
        start = file.read(8)
        if len(start) < 8:
            return
        length = int.from_bytes(start[4:], "little")
        content = file.read(16) if start[:4] == b"ANMF" and length >= 16 else b""
        if len(content) == 16:
            yield int.from_bytes(content[12:15], "little") / 1000
        file.seek(length + length % 2 - len(content), os.SEEK_CUR)


def _container(file: IO[bytes]) -> Frames:
    """Return the frames of the first picture track of a HEIF or AVIF file."""
    file.seek(0, 2)
    end = file.tell()
    brands = boxes.content(file, (b"ftyp",), 0, end)
    if not _SEQUENCES & {brands[at : at + 4] for at in range(0, len(brands), 4)}:
        return Frames()
    for start, stop in boxes.places(file, (b"moov", b"trak", b"mdia"), 0, end):
        if boxes.content(file, (b"hdlr",), start, stop)[8:12] == b"pict":
            sizes = boxes.content(file, (b"minf", b"stbl", b"stsz"), start, stop)
            times = boxes.content(file, (b"mdhd",), start, stop)
            return _frames(int.from_bytes(sizes[8:12], "big"), _seconds(times))
    return Frames()


def _seconds(times: bytes) -> float:
    """Return the length of a track by its `mdhd`; 0 if unknown."""
    at, wide = (20, 8) if times[:1] == b"\1" else (12, 4)
    scale = int.from_bytes(times[at : at + 4], "big")
    length = int.from_bytes(times[at + 4 : at + 4 + wide], "big")
    unknown = length == 2 ** (8 * wide) - 1
    return 0.0 if unknown or not scale else length / scale

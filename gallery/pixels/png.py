"""The chunks of a PNG: which of them the pixels need, and what the others contain.

Pillow refuses a picture with large texts, or with a wrong checksum of a comment. It therefore
gets only the chunks that it needs, and others that are valid and small.

Source: PNG (third edition), W3C Recommendation of 2025, sections 5.3, 11.2 and 11.3.
"""

from __future__ import annotations

import itertools
import re
import struct
import zlib
from collections.abc import Iterator
from typing import IO, Any, NamedTuple

from gallery.pixels.spliced import Piece, Spliced, size_of

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# As many as a file of 100 MB has in chunks of 1 kB.
MOST_CHUNKS = 100_000
# Limits of metadata, decompressed: of one chunk, and of all chunks together.
MOST_OF_ONE = 1024**2
MOST_TOGETHER = 4 * 1024**2
MOST_PROFILE = 4 * 1024**2

_CRITICAL = {b"IHDR", b"PLTE", b"IDAT", b"IEND"}
_ANIMATION = {b"acTL": 8, b"fcTL": 26, b"fdAT": 4}  # with the least lengths
_TEXTS = {b"tEXt", b"zTXt", b"iTXt"}
_CHANNELS = {2: 3, 4: 2, 6: 4}
_KEY_BYTES = {0: 2, 2: 6}  # length of tRNS by colour type


class Chunk(NamedTuple):
    """`start` is the offset of the content; `length` is its declared length."""

    kind: bytes
    start: int
    length: int

    @property
    def piece(self) -> Piece:
        """The chunk with its length, kind and checksum."""
        return Piece(self.start - 8, self.length + 12)


def is_png(head: bytes) -> bool:
    return head.startswith(SIGNATURE)


def chunks(file: IO[bytes]) -> Iterator[Chunk]:
    """Yield the chunks up to IEND, or to the end of a truncated file. Raises SyntaxError for
    more than MOST_CHUNKS."""
    size, at = size_of(file), len(SIGNATURE)
    for _number in range(MOST_CHUNKS):
        file.seek(at)
        head = file.read(8)
        if len(head) < 8 or re.fullmatch(rb"[A-Za-z]{4}", head[4:]) is None:
            return
        chunk = Chunk(head[4:], at + 8, int.from_bytes(head[:4], "big"))
        yield chunk
        at += chunk.length + 12
        if chunk.kind == b"IEND" or at > size:
            return
    raise SyntaxError(f"more than {MOST_CHUNKS} chunks")


def lacks_end(file: IO[bytes]) -> bool:
    size, last = size_of(file), None
    for chunk in chunks(file):
        last = chunk
    return last is None or last.kind != b"IEND" or last.start + last.length + 4 > size


def pixels_alone(file: IO[bytes]) -> Spliced:
    """Return the picture with its pixels and their transparency only."""
    return Spliced(file, [SIGNATURE, *(chunk.piece for chunk in _needed(file))])


def with_facts(file: IO[bytes]) -> Spliced:
    """Return the picture with EXIF, texts and animation that are valid and small. EXIF and
    texts from behind the pixels are moved in front of them."""
    needed = list(_needed(file))
    first = next((at for at, chunk in enumerate(needed) if chunk.kind == b"IDAT"), len(needed))
    front, pixels = needed[:first], needed[first:]
    order = [*front, *_facts(file), *_animated(file, pixels)]
    return Spliced(file, [SIGNATURE, *(chunk.piece for chunk in order)])


def check_sums(file: IO[bytes]) -> None:
    """Raise SyntaxError if the checksum of a critical chunk is wrong. The last chunk is exempt,
    since a truncated file ends in it."""
    wrong = ""
    for chunk in chunks(file):
        if wrong:
            raise SyntaxError(f"wrong checksum of {wrong}")
        if chunk.kind in _CRITICAL and _is_sound(file, chunk) is False:
            wrong = chunk.kind.decode()


def is_short(file: IO[bytes]) -> bool:
    """Return whether the pixel data can be decompressed but is incomplete."""
    unpacked = _unpacked_pixels(file, _bytes_of_pixels(file))
    return unpacked is not None and unpacked < _bytes_of_pixels(file)


def has_a_row(file: IO[bytes]) -> bool:
    """Return whether a row of pixels can be decompressed; if interlaced, the first row of the
    coarsest pass."""
    width, _height, samples, interlaced = _layout(file)
    least = 1 + ((-(-width // 8) if interlaced else width) * samples + 7) // 8
    return (_unpacked_pixels(file, least, anyhow=True) or 0) >= least


def _layout(file: IO[bytes]) -> tuple[int, int, int, bool]:
    """Return width, height, bits per pixel, and whether the picture is interlaced."""
    file.seek(len(SIGNATURE) + 8)
    width, height, bits, colour, _, _, way = struct.unpack(">LLBBBBB", file.read(13))
    return width, height, bits * _CHANNELS.get(colour, 1), way == 1


def _bytes_of_pixels(file: IO[bytes]) -> int:
    """Return the least size of the pixel data, without the bytes of filters."""
    width, height, bits, _interlaced = _layout(file)
    return width * height * bits // 8


def _unpacked_pixels(file: IO[bytes], most: int, *, anyhow: bool = False) -> int | None:
    """Return how many bytes can be decompressed, up to `most`. For damaged data None or, with
    `anyhow`, the number of bytes before the damage."""
    unpacker, total = zlib.decompressobj(), 0
    for chunk in chunks(file):
        if chunk.kind != b"IDAT":
            continue
        packed = _content(file, chunk)
        while packed and total < most:
            try:
                total += len(unpacker.decompress(packed, min(most - total, MOST_OF_ONE)))
            except zlib.error:
                return total if anyhow else None
            packed = unpacker.unconsumed_tail
    return total


def colours(file: IO[bytes]) -> dict[str, Any]:
    """Return what the chunks say about colours: `cicp` (primaries, transfer, matrix, full
    range), `icc_profile`, `srgb`, `gamma` (the exponent of the samples) and `chromaticity`
    (white, red, green, blue, x and y of each). Chunks that are damaged, too large or behind the
    pixels are left out."""
    found: dict[str, Any] = {}
    for chunk in chunks(file):
        if chunk.kind == b"IDAT":
            break
        read = _COLOURS.get(chunk.kind)
        if read and chunk.length <= MOST_PROFILE and _is_sound(file, chunk):
            found.update(read(_content(file, chunk)))
    return found


def depth_and_key(file: IO[bytes]) -> tuple[int, tuple[int, ...] | None]:
    """Return bits per sample, and the samples of the one transparent colour, if any."""
    depth, count, key = 8, 0, None
    for chunk in itertools.takewhile(lambda chunk: chunk.kind != b"IDAT", _needed(file)):
        if chunk.kind == b"IHDR":
            depth, colour = _content(file, chunk)[8:10]
            count = _KEY_BYTES.get(colour, 0)
        elif chunk.kind == b"tRNS" and count:
            key = struct.unpack(f">{count // 2}H", _content(file, chunk)[:count])
    return depth, key


# --- Which chunks -------------------------------------------------------------------


def _needed(file: IO[bytes]) -> Iterator[Chunk]:
    least = 0
    for chunk in chunks(file):
        if chunk.kind == b"IHDR":
            least = _KEY_BYTES.get((_content(file, chunk) + bytes(10))[9], 1)
        elif chunk.kind == b"tRNS":
            if not least <= chunk.length <= 256 or not _is_sound(file, chunk):
                continue
        elif chunk.kind not in _CRITICAL:
            continue
        yield chunk


def _facts(file: IO[bytes]) -> list[Chunk]:
    found, left = [], MOST_TOGETHER
    for chunk in chunks(file):
        if chunk.kind not in _TEXTS and chunk.kind != b"eXIf":
            continue
        if chunk.length > min(left, MOST_OF_ONE) or not _is_sound(file, chunk):
            continue
        held = max(chunk.length, _unpacked(chunk.kind, _content(file, chunk), left))
        if held <= min(left, MOST_OF_ONE):
            found.append(chunk)
            left -= held
    return found


def _animated(file: IO[bytes], pixels: list[Chunk]) -> list[Chunk]:
    """Return the pixels together with the chunks of further frames, or the pixels alone if
    those chunks are not valid."""
    among: list[Chunk] = []
    for chunk in chunks(file):
        if chunk.kind in _ANIMATION:
            whole = chunk.kind == b"fdAT" or _is_sound(file, chunk)
            if chunk.length < _ANIMATION[chunk.kind] or not whole:
                return pixels
            among.append(chunk)
    return sorted([*pixels, *among], key=lambda chunk: chunk.start)


def _unpacked(kind: bytes, content: bytes, most: int) -> int:
    """Return the decompressed size of a text in bytes. If that is above `most` or MOST_OF_ONE,
    the result is above them, too, but not exact."""
    _keyword, _null, rest = content.partition(b"\0")
    if kind == b"iTXt" and rest[:2] == b"\1\0":
        packed = rest[2:].split(b"\0", 2)[-1]
    elif kind == b"zTXt" and rest[:1] == b"\0":
        packed = rest[1:]
    elif kind == b"zTXt":
        return most + 1  # an unknown compression method
    else:
        return len(content)
    return len(_inflated(packed, min(most, MOST_OF_ONE)) or b"")


def _inflated(packed: bytes, most: int) -> bytes | None:
    """Decompress up to one byte more than `most`. None if the data is damaged."""
    try:
        return zlib.decompressobj().decompress(packed, most + 1)
    except zlib.error:
        return None


def _content(file: IO[bytes], chunk: Chunk) -> bytes:
    file.seek(chunk.start)
    return file.read(chunk.length)


def _is_sound(file: IO[bytes], chunk: Chunk) -> bool | None:
    """Return whether the checksum is right; None if the file ends before it."""
    file.seek(chunk.start)
    total, left = zlib.crc32(chunk.kind), chunk.length
    while left:
        data = file.read(min(left, MOST_OF_ONE))
        if not data:
            return None
        total, left = zlib.crc32(data, total), left - len(data)
    stored = file.read(4)
    return int.from_bytes(stored, "big") == total if len(stored) == 4 else None


# --- Colours ------------------------------------------------------------------------


def _cicp(content: bytes) -> dict[str, Any]:
    return {"cicp": tuple(content)} if len(content) == 4 else {}


def _profile(content: bytes) -> dict[str, Any]:
    packed = content.partition(b"\0")[2][1:]
    profile = _inflated(packed, MOST_PROFILE)
    return {"icc_profile": profile} if profile and len(profile) <= MOST_PROFILE else {}


def _srgb(content: bytes) -> dict[str, Any]:
    return {"srgb": content[0]} if len(content) == 1 else {}


def _gamma(content: bytes) -> dict[str, Any]:
    return {"gamma": int.from_bytes(content, "big") / 100_000} if len(content) == 4 else {}


def _chromaticity(content: bytes) -> dict[str, Any]:
    if len(content) != 32:
        return {}
    return {"chromaticity": tuple(value / 100_000 for value in struct.unpack(">8L", content))}


_COLOURS = {
    b"cICP": _cicp,
    b"iCCP": _profile,
    b"sRGB": _srgb,
    b"gAMA": _gamma,
    b"cHRM": _chromaticity,
}

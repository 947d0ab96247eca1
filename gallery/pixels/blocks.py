"""Metadata blocks of a file besides EXIF: XMP, IPTC and the texts of a PNG, as they are stored.
Blocks above the limits are skipped, and compressed ones are not decompressed any further.

Sources: PNG (third edition), 11.3.3; Adobe, XMP specification part 3; TIFF 6.0.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Any

from PIL import Image

from gallery.pixels import gif, png

# Large, since Lightroom stores brush strokes in XMP.
MOST_BYTES = 4 * 1024**2
_MOST_TEXT = 64 * 1024

_IPTC_TAG, _PHOTOSHOP_TAG = 33723, 34377
_IPTC_RESOURCE = 0x0404
_TEXTS = {b"tEXt", b"zTXt", b"iTXt"}
# Keywords of a PNG: XMP by the standard; XMP and IPTC in hexadecimal, as ImageMagick writes
# them.
_XMP, _RAW_XMP, _RAW_IPTC = "xml:com.adobe.xmp", "raw profile type xmp", "raw profile type iptc"


@dataclass(frozen=True)
class Blocks:
    """`xmp` is a packet, `iptc` a chain of data sets (IIM); both are empty if absent. `texts`
    are those of a PNG, by lower-case keyword."""

    xmp: bytes = b""
    iptc: bytes = b""
    texts: dict[str, str] = field(default_factory=dict)


def read_blocks(image: Image.Image, file: IO[bytes]) -> Blocks:
    """Read the blocks of `image`, which was opened from `file`."""
    if image.format == "PNG":
        return _png(file)
    if image.format == "GIF":
        return Blocks(xmp=_xmp_of_gif(file))
    xmp = image.info.get("xmp", b"")
    iptc = _iptc(image)
    return Blocks(
        xmp=xmp if isinstance(xmp, bytes) and len(xmp) <= MOST_BYTES else b"",
        iptc=iptc if len(iptc) <= MOST_BYTES else b"",
    )


def _xmp_of_gif(file: IO[bytes]) -> bytes:
    """Return the XMP of a GIF. The packet is not divided into sub-blocks; a trailer leads
    readers of sub-blocks to its end."""
    for part in gif.read_parts(file):
        if part.kind == gif.APPLICATION and part.first == b"XMP DataXMP":
            packet, trailer, _rest = file.read(MOST_BYTES).partition(b"\x01\xff\xfe\xfd")
            return packet if trailer else b""
    return b""


def _iptc(image: Image.Image) -> bytes:
    """Return the IPTC of a JPEG or TIFF, which may be among the resources of Photoshop."""
    if image.format != "TIFF":
        resources: Any = image.info.get("photoshop", {})
        found = resources.get(_IPTC_RESOURCE, b"")
        return found if isinstance(found, bytes) else b""
    tags = image.tag_v2  # type: ignore[attr-defined]
    found = tags.get(_IPTC_TAG, b"")
    if isinstance(found, tuple) and all(isinstance(number, int) for number in found):
        # Programs declare these bytes as 32-bit numbers.
        order = "little" if tags.prefix == b"II" else "big"
        found = b"".join((number & 0xFFFFFFFF).to_bytes(4, order) for number in found)
    if found and isinstance(found, bytes):
        return found
    photoshop = tags.get(_PHOTOSHOP_TAG, b"")
    return _resource(photoshop) if isinstance(photoshop, bytes) else b""


def _resource(data: bytes) -> bytes:
    """Return the IPTC from a chain of Photoshop resources: "8BIM", number, name, length, data."""
    at = 0
    while data[at : at + 4] == b"8BIM":
        number = int.from_bytes(data[at + 4 : at + 6], "big")
        name = data[at + 6] if at + 6 < len(data) else 0
        at += 6 + (name + 2) // 2 * 2
        length = int.from_bytes(data[at : at + 4], "big")
        at += 4
        if number == _IPTC_RESOURCE:
            return data[at : at + length]
        at += (length + 1) // 2 * 2
    return b""


# --- PNG --------------------------------------------------------------------------


def _png(file: IO[bytes]) -> Blocks:
    """Read the chunks before and after the pixels. The first of each keyword counts."""
    texts: dict[str, bytes] = {}
    for kind, content in _text_chunks(file):
        keyword, text = _text_of(kind, content)
        texts.setdefault(keyword, text)
    xmp = texts.pop(_XMP, b"") or _unhexed(texts.pop(_RAW_XMP, b""))
    iptc = _unhexed(texts.pop(_RAW_IPTC, b""))
    return Blocks(
        xmp=xmp,
        iptc=_resource(iptc) or iptc,
        texts={
            keyword: text.decode("utf-8", "replace")
            for keyword, text in texts.items()
            if len(text) <= _MOST_TEXT
        },
    )


def _text_chunks(file: IO[bytes]) -> Iterator[tuple[bytes, bytes]]:
    left = MOST_BYTES
    for chunk in png.chunks(file):
        if chunk.kind in _TEXTS and chunk.length <= left:
            left -= chunk.length
            file.seek(chunk.start)
            yield chunk.kind, file.read(chunk.length)


def _text_of(kind: bytes, content: bytes) -> tuple[str, bytes]:
    """Return keyword and text. The text is empty if it cannot be decompressed."""
    keyword, _nul, rest = content.partition(b"\0")
    packed = kind == b"zTXt"
    if kind == b"zTXt":
        rest = rest[1:]  # the method
    elif kind == b"iTXt":
        packed = rest[:1] == b"\1"
        _language, _nul, rest = rest[2:].partition(b"\0")
        _translated, _nul, rest = rest.partition(b"\0")
    return keyword.decode("latin-1").strip().lower(), _unpacked(rest) if packed else rest


def _unpacked(data: bytes) -> bytes:
    unpacking = zlib.decompressobj()
    try:
        text = unpacking.decompress(data, MOST_BYTES)
    except zlib.error:
        return b""
    return b"" if unpacking.unconsumed_tail else text


def _unhexed(text: bytes) -> bytes:
    """Decode ImageMagick's form: a line with the kind, one with the length, and lines of
    hexadecimal digits."""
    digits = re.sub(rb"\s+", b"", b"".join(text.strip().split(b"\n")[2:]))
    try:
        return bytes.fromhex(digits.decode("ascii"))
    except ValueError:
        return b""

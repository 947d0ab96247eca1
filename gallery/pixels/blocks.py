"""What stands beside the pixels of a file besides its EXIF: XMP, IPTC and the texts of a
PNG, as they are stored. Bounded: a block that is larger than any that says something is
passed over, and what is compressed is unpacked no further.

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

# Lightroom keeps the strokes of brushes in XMP.
MOST_BYTES = 4 * 1024**2
_MOST_TEXT = 64 * 1024

_IPTC_TAG, _PHOTOSHOP_TAG = 33723, 34377
_IPTC_RESOURCE = 0x0404
_TEXTS = {b"tEXt", b"zTXt", b"iTXt"}
# Where a PNG has its XMP: by the standard, and as ImageMagick writes it, in hexadecimal.
_XMP, _RAW_XMP, _RAW_IPTC = "xml:com.adobe.xmp", "raw profile type xmp", "raw profile type iptc"


@dataclass(frozen=True)
class Blocks:
    """`xmp` is a packet, `iptc` a chain of data sets (IIM); empty where there is none.
    `texts` are those of a PNG, by keywords in lower case."""

    xmp: bytes = b""
    iptc: bytes = b""
    texts: dict[str, str] = field(default_factory=dict)


def read_blocks(image: Image.Image, file: IO[bytes]) -> Blocks:
    """Of `image`, which was opened from `file`."""
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
    """It is not cut into blocks: a trailer leads those who read blocks behind it."""
    for part in gif.read_parts(file):
        if part.kind == gif.APPLICATION and part.first == b"XMP DataXMP":
            packet, trailer, _rest = file.read(MOST_BYTES).partition(b"\x01\xff\xfe\xfd")
            return packet if trailer else b""
    return b""


def _iptc(image: Image.Image) -> bytes:
    """Of a JPEG or TIFF, which may have it among the resources of Photoshop."""
    if image.format != "TIFF":
        resources: Any = image.info.get("photoshop", {})
        found = resources.get(_IPTC_RESOURCE, b"")
        return found if isinstance(found, bytes) else b""
    tags = image.tag_v2  # type: ignore[attr-defined]
    found = tags.get(_IPTC_TAG, b"")
    if isinstance(found, tuple) and all(isinstance(number, int) for number in found):
        # Programs call these bytes numbers of four.
        order = "little" if tags.prefix == b"II" else "big"
        found = b"".join((number & 0xFFFFFFFF).to_bytes(4, order) for number in found)
    if found and isinstance(found, bytes):
        return found
    photoshop = tags.get(_PHOTOSHOP_TAG, b"")
    return _resource(photoshop) if isinstance(photoshop, bytes) else b""


def _resource(data: bytes) -> bytes:
    """The IPTC of a chain of resources of Photoshop: "8BIM", number, name, length, data."""
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
    """Before the pixels and behind them; the first of each keyword."""
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
    """Keyword and text; the text is empty where it cannot be unpacked."""
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
    """A line that names the kind, one that tells the length, and lines of digits."""
    digits = re.sub(rb"\s+", b"", b"".join(text.strip().split(b"\n")[2:]))
    try:
        return bytes.fromhex(digits.decode("ascii"))
    except ValueError:
        return b""

"""Signatures of file formats, used to word refusals. The decoders decide whether a file is
accepted; this module only names the format of a refused file."""

from __future__ import annotations

import os
import re

# The major brands of AVIF and HEIC in the ISO container, which videos use, too.
_PICTURE_BRANDS = (
    b"avif", b"avis", b"mif1", b"msf1",
    b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs",
)  # fmt: skip

_ACCEPTED = (
    b"\xff\xd8\xff",  # JPEG
    b"\x89PNG\r\n\x1a\n",
    b"GIF87a",
    b"GIF89a",
    b"II*\x00",  # TIFF
    b"MM\x00*",
    b"II+\x00",  # BigTIFF
    b"MM\x00+",
    b"BM",
)

_FOREIGN = (
    (b"%PDF", "PDF"),
    (b"8BPS", "Photoshop"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\x00\x00\x00\x0cJXL ", "JPEG XL"),
    (b"\x00\x00\x00\x0cjP  ", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\x00\x00\x01\x00", "ICO"),
    (b"%!PS", "PostScript"),
    (b"v/1\x01", "OpenEXR"),
    (b"qoif", "QOI"),
    (b"PK\x03\x04", "ZIP"),
    (b"\x1aE\xdf\xa3", "Matroska"),
)

_FOREIGN_EXTENSIONS = {".svg": "SVG", ".svgz": "SVG"}


def looks_accepted(head: bytes) -> bool:
    """Return whether a file that begins with `head` claims to have an accepted format."""
    if head[4:8] == b"ftyp":
        return head[8:12] in _PICTURE_BRANDS
    if head.startswith(b"RIFF"):
        return head[8:12] == b"WEBP"
    return head.startswith(_ACCEPTED)


def foreign_format(head: bytes, name: str) -> str | None:
    """Return the name of the known but refused format of a file that begins with `head`, or
    None. `name` only matters for SVG, which is text or compressed text."""
    if re.search(rb"<(\w+:)?svg[\s>]", head, re.IGNORECASE):
        return "SVG"
    if head[4:8] == b"ftyp":
        return "MP4"
    for signature, kind in _FOREIGN:
        if head.startswith(signature):
            return kind
    return _FOREIGN_EXTENSIONS.get(os.path.splitext(name)[1].lower())

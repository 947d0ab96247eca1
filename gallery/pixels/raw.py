"""Detects camera RAW by its content: data of the sensor beside small previews.

A RAW file is often a TIFF whose first picture is a preview, which a TIFF reader would take for
the picture. The tags identify it, whatever the file name.

Sources: TIFF/EP (ISO 12234-2), DNG 1.7.1.0 and the tag lists of ExifTool (compression,
photometric interpretation); the first bytes as in the data of `file` (magic/Magdir/images).
"""

from __future__ import annotations

from typing import IO

from gallery.pixels import tiff
from gallery.pixels.tiff import Directory, Tiff

_DNG_VERSION, _LEAF = 50706, 34310
# Colour filter array; linear values of a sensor.
_PHOTOMETRIC = {32803, 34892}
# Nikon, Sony, packed, Samsung, Panasonic, Kodak, lossy DNG, Pentax.
_COMPRESSION = {
    *(34713, 34316, 34826, 34828, 34830, 34892, 32767, 32769, 32770, 32867),
    *(65000, 65535),
}
_MAKES = {
    "nikon": "Nikon NEF", "canon": "Canon CR2", "sony": "Sony ARW", "pentax": "Pentax PEF",
    "ricoh": "Pentax PEF", "olympus": "Olympus ORF", "om digital": "Olympus ORF",
    "panasonic": "Panasonic RW2", "samsung": "Samsung SRW", "hasselblad": "Hasselblad 3FR",
    "kodak": "Kodak DCR", "eastman": "Kodak DCR", "epson": "Epson ERF", "mamiya": "Mamiya MEF",
    "leica": "Leica RAW", "phase one": "Phase One IIQ",
}  # fmt: skip
_BEGINNINGS = (
    (b"FUJIFILMCCD-RAW", "Fujifilm RAF"),
    (b"FOVb", "Sigma X3F"),
    (b"\0MRM", "Minolta MRW"),
    (b"IIRO", "Olympus ORF"),
    (b"IIRS", "Olympus ORF"),
    (b"MMOR", "Olympus ORF"),
    (b"IIU\0", "Panasonic RW2"),
    (b"ARRI", "ARRI RAW"),
)
_LATER = (
    (8, b"CR\x02", "Canon CR2"),
    (6, b"HEAPCCDR", "Canon CRW"),
    (4, b"ftypcrx ", "Canon CR3"),
)
_PHASE_ONE = {b"IIII", b"MMMM"}
# A picture counts as larger if its long side is more than this many times longer.
_LARGER = 1.05


def kind_of(file: IO[bytes]) -> str | None:
    """Return the name of the RAW format, like "Nikon NEF", or None."""
    file.seek(0)
    head = file.read(32)
    for begin, kind in _BEGINNINGS:
        if head.startswith(begin):
            return kind
    for at, begin, kind in _LATER:
        if head[at:].startswith(begin):
            return kind
    if not tiff.is_tiff(head):
        return None
    if head[8:12] in _PHASE_ONE:
        return "Phase One IIQ"
    try:
        found = Tiff(file)
        directories = list(found.directories())
    except SyntaxError:  # damaged, which the decoder reports
        return None
    if any(_is_raw(found, one) for one in directories):
        return _name(found, directories[0])
    return None


def keeps_picture_elsewhere(file: IO[bytes]) -> bool:
    """Return whether the first picture of a TIFF is marked as a reduced copy, and another one
    of the file is larger."""
    try:
        found = Tiff(file)
        first, *others = found.directories()
    except (SyntaxError, ValueError):
        return False
    if not found.number(first, tiff.SUBFILE) & 1:
        return False
    return any(_side(found, other) > _LARGER * _side(found, first) for other in others)


def _is_raw(found: Tiff, directory: Directory) -> bool:
    return (
        any(entry.tag in (_DNG_VERSION, _LEAF) for entry in directory.entries)
        or found.number(directory, tiff.PHOTOMETRIC) in _PHOTOMETRIC
        or found.number(directory, tiff.COMPRESSION) in _COMPRESSION
    )


def _side(found: Tiff, directory: Directory) -> int:
    return max(found.number(directory, tiff.WIDTH), found.number(directory, tiff.HEIGHT))


def _name(found: Tiff, first: Directory) -> str:
    if any(entry.tag == _DNG_VERSION for entry in first.entries):
        return "DNG"
    make = next((entry for entry in first.entries if entry.tag == tiff.MAKE), None)
    if make is not None:
        found.file.seek(make.place)
        text = found.file.read(min(make.size, 64)).decode("latin-1").lower()
        for name, kind in _MAKES.items():
            if name in text:
                return kind
    return "TIFF"

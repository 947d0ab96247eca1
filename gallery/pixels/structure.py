"""Checks the structure of a file before a library reads its header. Libraries read some parts
completely, and more than once, whatever the size of the picture. For PNG and JPEG see
`png.chunks` and `jpeg.segments`.

Sources: TIFF 6.0, section 2, and BigTIFF.
"""

from __future__ import annotations

from typing import IO

from gallery.pixels import boxes
from gallery.pixels.tiff import MOST_PLACES, Tiff, is_tiff

# Width, height, bits, compression, samples, strips, tiles. Two libraries read the file and must
# find the same values: Pillow skips entries of an unknown type, libtiff takes the first of two.
_LAYOUT = {256, 257, 258, 259, 273, 277, 278, 279, 322, 323, 324, 325}
_KNOWN_TYPES = {1, 3, 4, 16}  # BYTE, SHORT, LONG, LONG8


def check(file: IO[bytes]) -> None:
    """Raise SyntaxError for a structure that no program writes."""
    file.seek(0)
    head = file.read(boxes.HEAD)
    if is_tiff(head):
        _check_tiff(Tiff(file))
    elif boxes.is_container(head):
        boxes.check(file)


def _check_tiff(tiff: Tiff) -> None:
    """Check the first directory, the only one from which pixels are read."""
    seen: set[int] = set()
    for entry in tiff.directory(tiff.first).entries:
        if entry.tag not in _LAYOUT:
            continue
        if entry.values > MOST_PLACES:
            raise SyntaxError(f"{entry.values} values of tag {entry.tag}")
        if entry.tag in seen or entry.kind not in _KNOWN_TYPES:
            raise SyntaxError(f"tag {entry.tag} twice, or of type {entry.kind}")
        seen.add(entry.tag)

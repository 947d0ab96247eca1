"""How a file is put together, looked at before a library reads its header: what is read in
full, and more than once, whatever the size of the picture. See `png.chunks` and
`jpeg.segments` for the parts of these.

Sources: TIFF 6.0, section 2, and BigTIFF.
"""

from __future__ import annotations

from typing import IO

from gallery.pixels import boxes
from gallery.pixels.tiff import MOST_PLACES, Tiff, is_tiff

# Width, height, bits, compression, samples, strips, tiles: where two libraries that read
# one file must find the same. Pillow leaves out entries whose type it does not know, libtiff
# takes the first of two.
_LAYOUT = {256, 257, 258, 259, 273, 277, 278, 279, 322, 323, 324, 325}
_KNOWN_TYPES = {1, 3, 4, 16}  # BYTE, SHORT, LONG, LONG8


def check(file: IO[bytes]) -> None:
    """Raises SyntaxError for a file that no program writes so."""
    file.seek(0)
    head = file.read(boxes.HEAD)
    if is_tiff(head):
        _check_tiff(Tiff(file))
    elif boxes.is_container(head):
        boxes.check(file)


def _check_tiff(tiff: Tiff) -> None:
    """The first directory: all that is read of a file."""
    seen: set[int] = set()
    for entry in tiff.directory(tiff.first).entries:
        if entry.tag not in _LAYOUT:
            continue
        if entry.values > MOST_PLACES:
            raise SyntaxError(f"{entry.values} values of tag {entry.tag}")
        if entry.tag in seen or entry.kind not in _KNOWN_TYPES:
            raise SyntaxError(f"tag {entry.tag} twice, or of type {entry.kind}")
        seen.add(entry.tag)

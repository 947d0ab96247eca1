"""File names in an archive: safe on every system, and unique."""

from __future__ import annotations

import re
import unicodedata

# Characters that Windows forbids in names. Slashes would also create or leave folders.
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]')
# Names that Windows takes for devices, whatever follows the first dot.
_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)

# File systems allow 255 bytes; some room is left for " (12345)".
_MOST_BYTES = 200
# Room for an extension and one character.
_FEWEST_BYTES = 5


def safe_name(name: str, extension: str) -> str:
    """Return `name` in a form that is valid on every system, with `extension` (like ".jpg") if it
    has none. Never empty."""
    name = unicodedata.normalize("NFC", _FORBIDDEN.sub("_", name)).strip(" .")
    stem, dot, ending = name.rpartition(".")
    if not dot or len(ending) > 10:
        stem, ending = name, extension.lstrip(".")
    room = _MOST_BYTES - len(ending.encode()) - 1
    stem = stem.encode()[:room].decode(errors="ignore").rstrip(" .") or "_"
    name = f"{stem}.{ending}"
    if _DEVICES.fullmatch(name) or len(name.encode()) < _FEWEST_BYTES:
        return f"picture-{name}"
    return name


class UniqueNames:
    """Makes names unique, whatever their case, since many systems ignore it."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._next: dict[str, int] = {}

    def unique(self, name: str) -> str:
        """Return `name`, with a number before its extension if it is taken."""
        stem, dot, ending = name.rpartition(".")
        candidate = name
        while (key := candidate.casefold()) in self._taken:
            number = self._next.get(name.casefold(), 2)
            self._next[name.casefold()] = number + 1
            candidate = f"{stem} ({number}){dot}{ending}"
        self._taken.add(key)
        return candidate


def text_in_place_of(name: str) -> str:
    """Return a name of the same number of bytes that ends in .txt."""
    room = len(name.encode()) - len(".txt")
    stem = name.encode()[:room].decode(errors="ignore")
    return stem + "_" * (room - len(stem.encode())) + ".txt"

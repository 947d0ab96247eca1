"""Names of files, cut in the middle: their beginning and their end tell them apart."""

from __future__ import annotations

from typing import NamedTuple

from gallery.models import Image, Viewer

# Characters at the end of a file name that stay visible: a number and the extension.
_END = 12
# Characters of a file name in the title of a window.
_IN_TITLE = 40


class Name(NamedTuple):
    """A name in two parts. Where room is short, the page cuts the first one at its end."""

    start: str
    end: str

    @property
    def short(self) -> str:
        """The name for the title of the window."""
        whole = self.start + self.end
        if not self.end or len(whole) <= _IN_TITLE:
            return whole
        return f"{self.start[: _IN_TITLE - len(self.end) - 1].rstrip()}…{self.end}"


def name_of(image: Image, viewer: Viewer) -> Name:
    """Return the name that `viewer` sees. A title has no second part: it is read from its start."""
    name = image.name_for(viewer)
    if image.title or name != image.original_name or len(name) <= 2 * _END:
        return Name(name, "")
    return Name(name[:-_END], name[-_END:])

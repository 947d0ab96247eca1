"""The places of the library that the rail and the bar at the foot lead to."""

from __future__ import annotations

# The place of a page, by the first part of its path. Most have the same name.
_SAME = (
    *("explore", "albums", "favourites", "searches", "tags", "categories", "duplicates"),
    *("archive", "trash", "search", "upload"),
)
_OF_PATH = {
    **dict.fromkeys(("", "timeline", "recent"), "photos"),
    **dict.fromkeys(("sharing", "links", "groups", "contributions"), "sharing"),
    **{name: name for name in _SAME},
}


def place_of(path: str) -> str:
    """Return the place that a page belongs to, or ""."""
    return _OF_PATH.get(_parts(path)[0], "")


def is_place_itself(path: str) -> bool:
    """Whether a page is its place, and not a page below it."""
    return len(_parts(path)) == 1


def _parts(path: str) -> list[str]:
    return path.strip("/").split("/")

"""One spelling of the names that people type and their systems send. Knows nothing else, so
that a request can be read by it.
"""

from __future__ import annotations

import re
import unicodedata

# Controls, halves of surrogate pairs (no UTF-8 holds them) and line separators.
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
# What turns the reading direction of all that follows: "gpj.exe" can be made to read
# "exe.jpg". Marks that only say how one sign is read belong to names in Arabic and Hebrew.
_DIRECTIONS = re.compile(r"[\u202a-\u202e\u2066-\u2069]")

# What is not seen wherever it stands: what Unicode has fonts ignore (joiners, soft hyphens,
# fillers, selectors, tags), blanks, and marks on nothing.
_UNSEEN = re.compile(
    r"[\s\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    r"\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001d159"
    r"\U0001d173-\U0001d17a\U0001bca0-\U0001bca3\U000e0000-\U000e0fff]+"
)

_MAX_NAME = 255


def clean_line(text: str) -> str:
    """One line, composed, with single spaces; nothing where none of it would be seen."""
    line = " ".join(composed(CONTROLS.sub(" ", text)).split())
    return line if is_seen(line) else ""


def key_of(name: str) -> str:
    """Names of one key count as one; which the database decides (gallery.models.words), to
    which this comes near enough for counting."""
    return unicodedata.normalize("NFKC", name).casefold()


def composed(text: str) -> str:
    """NFC."""
    return unicodedata.normalize("NFC", text)


def clean_name(name: str) -> str:
    """A file name as it is kept for its owner: no folders, no invisible tricks, at
    most 255 characters, of which the extension is not lost."""
    name = _DIRECTIONS.sub("", CONTROLS.sub("", name))
    name = composed(re.split(r"[/\\]", name)[-1]).strip()
    if name in {".", ".."}:
        return ""
    if len(name) <= _MAX_NAME:
        return name
    stem, dot, extension = name.rpartition(".")
    if not stem or len(extension) > 10:
        return name[:_MAX_NAME]
    return stem[: _MAX_NAME - len(extension) - 1] + dot + extension


def is_seen(text: str) -> bool:
    """Whether anything of it would be seen."""
    return bool(_UNSEEN.sub("", text))

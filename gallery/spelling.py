"""One spelling for the names that people type and their systems send. It imports nothing else
of the gallery, so that request parsers can use it.
"""

from __future__ import annotations

import re
import unicodedata

# Control characters, halves of surrogate pairs (which UTF-8 cannot encode) and line separators.
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
# Characters that turn the reading direction of all text after them: they can make "gpj.exe"
# read like "exe.jpg". Marks that affect only one character belong to names in Arabic and
# Hebrew, and stay.
_DIRECTIONS = re.compile(r"[\u202a-\u202e\u2066-\u2069]")

# Invisible characters: the default-ignorable ones of Unicode (joiners, soft hyphens, fillers,
# selectors, tags), blanks, and combining marks without a base.
_UNSEEN = re.compile(
    r"[\s\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    r"\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001d159"
    r"\U0001d173-\U0001d17a\U0001bca0-\U0001bca3\U000e0000-\U000e0fff]+"
)

_MAX_NAME = 255


def clean_line(text: str) -> str:
    """Return one line in NFC with single spaces; "" if nothing of it is visible."""
    line = " ".join(composed(CONTROLS.sub(" ", text)).split())
    return line if is_seen(line) else ""


def normalise_text(text: str) -> str:
    """One spelling for texts that look the same: NFC, single spaces, nothing that
    cannot be seen (control characters, halves of surrogate pairs)."""
    if text.isascii() and text.isprintable():  # most texts, of which all can be seen
        return " ".join(text.split())
    visible = "".join(
        " " if character.isspace() else character
        for character in unicodedata.normalize("NFC", text)
        if character.isspace() or unicodedata.category(character) not in ("Cc", "Cs")
    )
    return " ".join(visible.split())


def key_of(name: str) -> str:
    """A key for names that count as the same. The database decides that exactly
    (gallery.models.words); this is close enough for counting."""
    return unicodedata.normalize("NFKC", name).casefold()


def composed(text: str) -> str:
    """Return `text` in NFC."""
    return unicodedata.normalize("NFC", text)


def clean_name(name: str) -> str:
    """Return a file name to store: without folders and invisible tricks, with at most 255
    characters. Truncation keeps the extension."""
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
    """Whether any of `text` is visible."""
    return bool(_UNSEEN.sub("", text))

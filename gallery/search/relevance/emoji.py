"""Emoji as words. Many models cannot read them."""

from __future__ import annotations

import re
import unicodedata

# Symbols with a name that says what they show. Flags have none: they are pairs of letters.
_EMOJI = re.compile(
    "[\u231a\u231b\u23e9-\u23f3\u2600-\u27bf\u2b00-\u2bff\U0001f300-\U0001f3fa"
    "\U0001f400-\U0001faff]"
)
# Joiners, selectors, skin tones, and the sex of joined figures.
_UNSPOKEN = re.compile("\u200d[\u2640\u2642]|[\u200d\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]")
# In older names these words tell outlined signs from filled ones.
_OUTLINES = re.compile(r"\b(?:black|white|heavy) ")
_NEWER_EMOJI = "\U0001f000"


def emoji_of(text: str) -> list[str]:
    """Return the emoji of a text that have a name, each once."""
    found = _EMOJI.findall(_UNSPOKEN.sub("", text))
    return [emoji for emoji in dict.fromkeys(found) if _name(emoji)]


def in_words(text: str) -> str:
    """Return the text with English words in the place of its emoji."""
    if text.isascii() or not _EMOJI.search(text):
        return text
    spoken = _EMOJI.sub(lambda emoji: f" {_name(emoji[0])} ", _UNSPOKEN.sub("", text))
    return " ".join(spoken.split())


def _name(emoji: str) -> str:
    name = unicodedata.name(emoji, "").lower()
    return name if emoji > _NEWER_EMOJI else _OUTLINES.sub("", name)

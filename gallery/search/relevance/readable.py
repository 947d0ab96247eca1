"""Texts that the model cannot read.

A model gives every string a vector, also one without meaning. A text is unreadable if the model
does not know its language (gallery.search.relevance.languages), if it has no letters, digits or
emoji, if it repeats a single letter, or if none of its words can be one
(gallery.search.relevance.letters).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from gallery.errors import Sentence
from gallery.models import EmbeddingSpace
from gallery.search.relevance import languages
from gallery.search.relevance.emoji import in_words
from gallery.search.relevance.letters import may_be_word

# A letter repeated more often is no text.
_MOST_REPEATED = 4
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


@dataclass(frozen=True)
class Problem:
    """Why a text cannot be read: a code and a sentence for people."""

    code: str
    message: Sentence


def problem(space: EmbeddingSpace, texts: Sequence[str]) -> Problem | None:
    """Return why the model of `space` cannot read one of the texts; None if it can read all."""
    if warning := languages.warning(space, list(texts)):
        return Problem("language", warning)
    unread = next((text for text in texts if not has_words(text)), None)
    if unread is None:
        return None
    message = _(
        "“%(text)s” has no words that the model can read, so the results may have nothing to do "
        "with it."
    )
    return Problem("unreadable", message % {"text": _shortened(unread)})


def has_words(text: str) -> bool:
    """Whether a text has at least one word or emoji that may mean something."""
    text = in_words(text)
    letters = [character for character in text.lower() if character.isalnum()]
    if len(letters) > _MOST_REPEATED and len(set(letters)) == 1 and letters[0].isalpha():
        return False
    return any(may_be_word(word) for word in _WORD.findall(text))


def _shortened(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:40]}…"

"""Names and texts that people type or their systems send."""

from __future__ import annotations

import re
import unicodedata

from django.utils.translation import gettext as _

from gallery.errors import Refusal
from gallery.models import Image

# Controls, halves of surrogate pairs (no UTF-8 holds them) and line separators.
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
# The same, but for the line breaks and tabs of a longer text.
_CONTROLS_IN_TEXT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
# Marks that turn the reading direction: "gpj.exe" can be made to read "exe.jpg".
_DIRECTIONS = re.compile(r"[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")

_MAX_NAME = 255


def clean_name(name: str) -> str:
    """A file name as it is kept for its owner: no folders, no invisible tricks, at
    most 255 characters, of which the extension is not lost."""
    name = _DIRECTIONS.sub("", _CONTROLS.sub("", name))
    name = unicodedata.normalize("NFC", re.split(r"[/\\]", name)[-1]).strip()
    if name in {".", ".."}:
        return ""
    if len(name) <= _MAX_NAME:
        return name
    stem, dot, extension = name.rpartition(".")
    if not stem or len(extension) > 10:
        return name[:_MAX_NAME]
    return stem[: _MAX_NAME - len(extension) - 1] + dot + extension


def clean_title(title: str) -> str:
    """One line of text. Raises Refusal (title_too_long)."""
    title = unicodedata.normalize("NFC", _CONTROLS.sub(" ", title)).strip()
    if len(title) > 200:
        raise Refusal("title_too_long", _("Shorten the title to at most 200 characters."), "title")
    return title


def clean_description(description: str) -> str:
    """Some paragraphs. Raises Refusal (description_too_long)."""
    lines = description.replace("\r\n", "\n").replace("\r", "\n")
    text = unicodedata.normalize("NFC", _CONTROLS_IN_TEXT.sub("", lines)).strip()
    if len(text) > 5000:
        raise Refusal(
            "description_too_long",
            _("Shorten the description to at most 5,000 characters."),
            "description",
        )
    return text


def clean_visibility(visibility: str) -> str:
    """One of the three values. Raises Refusal (bad_visibility)."""
    if visibility not in Image.Visibility.values:
        raise Refusal(
            "bad_visibility", _("Choose a visibility: private, unlisted or public."), "visibility"
        )
    return visibility

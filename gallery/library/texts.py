"""Names and texts that people type or their systems send."""

from __future__ import annotations

import re

from django.utils.translation import gettext as _

from gallery.errors import Refusal
from gallery.models import Image
from gallery.spelling import clean_line, composed

# As gallery.spelling has it, but for the line breaks and tabs of a longer text.
_CONTROLS_IN_TEXT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def clean_title(title: str) -> str:
    """One line with single spaces, as pages show it; nothing where none of it would be
    seen. Raises Refusal (title_too_long)."""
    title = clean_line(title)
    if len(title) > 200:
        raise Refusal("title_too_long", _("Shorten the title to at most 200 characters."), "title")
    return title


def clean_description(description: str) -> str:
    """Some paragraphs. Raises Refusal (description_too_long)."""
    lines = description.replace("\r\n", "\n").replace("\r", "\n")
    text = composed(_CONTROLS_IN_TEXT.sub("", lines)).strip()
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

"""Cleaning of the titles, descriptions and visibilities that users and programs send."""

from __future__ import annotations

import re

from django.utils.translation import gettext as _

from gallery.errors import Refusal
from gallery.models import Image
from gallery.spelling import clean_line, composed

# Control characters, except the line breaks and tabs of a longer text.
_CONTROLS_IN_TEXT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def clean_title(title: str) -> str:
    """Return one line with single spaces, as pages show it; empty if nothing of it is visible.
    Raises Refusal (title_too_long)."""
    title = clean_line(title)
    if len(title) > 200:
        raise Refusal("title_too_long", _("Shorten the title to at most 200 characters."), "title")
    return title


def clean_description(description: str) -> str:
    """Return the text without control characters, with LF as line break. Raises Refusal
    (description_too_long)."""
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
    """Return `visibility` if it is one of the three values. Raises Refusal (bad_visibility)."""
    if visibility not in Image.Visibility.values:
        raise Refusal(
            "bad_visibility", _("Choose a visibility: private, unlisted or public."), "visibility"
        )
    return visibility

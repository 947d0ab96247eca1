"""Names that people give to groups and links."""

from __future__ import annotations

from django.utils.translation import gettext as _

from gallery import spelling
from gallery.errors import Refusal

MOST_CHARACTERS = 100


def clean_name(name: str) -> str:
    """Return one line of text, perhaps empty. Raises Refusal (name_too_long)."""
    name = spelling.clean_line(name)
    if len(name) > MOST_CHARACTERS:
        raise Refusal(
            "name_too_long",
            _("Shorten the name to at most %(most)d characters.") % {"most": MOST_CHARACTERS},
            "name",
        )
    return name

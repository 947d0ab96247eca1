"""Why something failed, as a reader of the admin sees it."""

from __future__ import annotations

from django.utils.translation import gettext


def translated(reason: str) -> str:
    """Reasons are stored in English, one sentence on the first line and technical
    detail below it; the sentence is translated where it is shown."""
    sentence, newline, detail = reason.partition("\n")
    return gettext(sentence) + newline + detail if sentence else ""

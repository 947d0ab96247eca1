"""Reasons of failures for display in the admin."""

from __future__ import annotations

from django.utils.translation import gettext


def translated(reason: str) -> str:
    """Translate the first line of a reason. Reasons are stored in English, with one sentence on
    the first line and technical details below it."""
    sentence, newline, detail = reason.partition("\n")
    return gettext(sentence) + newline + detail if sentence else ""

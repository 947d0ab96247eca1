"""Short notices on the next page, some with an "Undo" button."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest

_UNDO = "undo:"


@dataclass(frozen=True)
class Toast:
    """A notice. A POST to `undo` reverts the action; it is empty if there is nothing to undo."""

    text: str
    undo: str = ""


def say(request: HttpRequest, text: str) -> None:
    messages.success(request, text)


def offer_undo(request: HttpRequest, text: str, address: str) -> None:
    """Show `text` with a button that undoes the action by a POST to `address`."""
    messages.success(request, text, extra_tags=f"{_UNDO}{address}")


def take(request: HttpRequest) -> list[Toast]:
    """Return the waiting notices of this visitor, and remove them."""
    waiting = messages.get_messages(request)
    return [Toast(str(message), _undo(message.extra_tags)) for message in waiting]


def _undo(tags: str | None) -> str:
    if not tags or not tags.startswith(_UNDO):
        return ""
    return tags.removeprefix(_UNDO)

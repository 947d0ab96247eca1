"""Short notices that the next page shows, some with an "Undo"."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest

_UNDO = "undo:"


@dataclass(frozen=True)
class Toast:
    """`undo` is the address that a POST takes it back at, or empty."""

    text: str
    undo: str = ""


def say(request: HttpRequest, text: str) -> None:
    messages.success(request, text)


def offer_undo(request: HttpRequest, text: str, address: str) -> None:
    """Say `text` and offer to take it back by a POST to `address`."""
    messages.success(request, text, extra_tags=f"{_UNDO}{address}")


def take(request: HttpRequest) -> list[Toast]:
    """The notices that wait for this visitor; they are shown once."""
    waiting = messages.get_messages(request)
    return [Toast(str(message), _undo(message.extra_tags)) for message in waiting]


def _undo(tags: str | None) -> str:
    if not tags or not tags.startswith(_UNDO):
        return ""
    return tags.removeprefix(_UNDO)

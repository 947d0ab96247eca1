"""Decides who may create an account: everybody, invited people, or nobody."""

from __future__ import annotations

from django.conf import settings

from gallery.accounts import invitations
from gallery.models import Invitation


def is_open() -> bool:
    """Whether everybody may register (REGISTRATION=open)."""
    return bool(settings.REGISTRATION == "open")


def by_invitation() -> bool:
    """Whether visitors are told to ask for an invitation (REGISTRATION=invitation). If
    registration is closed, an existing invitation still works."""
    return bool(settings.REGISTRATION == "invitation")


def needed_invitation(code: str) -> Invitation | None:
    """The invitation with this code, if one is needed and this one is usable."""
    return None if is_open() or not code else invitations.usable(code)


def admits(code: str) -> bool:
    """Whether somebody with this invitation code (empty for none) may register."""
    return is_open() or needed_invitation(code) is not None

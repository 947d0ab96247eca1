"""The store of acts that can be undone."""

from __future__ import annotations

from typing import Any

from gallery.library import caps
from gallery.models import Change, User


def record(user: User, action: str, before: dict[str, Any]) -> Change:
    """Store an act. Called in the transaction of the act; `before` is for `undoing`. Beyond
    CHANGES_KEPT, the user's oldest acts are removed."""
    change = Change.objects.create(user=user, action=action, before=before)
    caps.keep_latest(Change.objects.filter(user=user), caps.CHANGES_KEPT)
    return change

"""Where acts are kept, so that they can be undone."""

from __future__ import annotations

from typing import Any

from gallery.library import caps
from gallery.models import Change, User


def record(user: User, action: str, before: dict[str, Any]) -> Change:
    """In the transaction of the act itself; `before` is for `undoing`. The oldest acts
    of somebody who does very many are forgotten before their time."""
    change = Change.objects.create(user=user, action=action, before=before)
    caps.keep_latest(Change.objects.filter(user=user), caps.CHANGES_KEPT)
    return change

"""Acts on many pictures, kept for some time so that they can be undone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from gallery.errors import Expired
from gallery.library import undo_log
from gallery.library.user_lock import lock_user
from gallery.models import Change, User, Viewer
from gallery.organising import undoing

KEEP = timedelta(days=30)


def record(user: User, action: str, before: dict[str, Any] | None) -> Change | None:
    """Store the former state `before` (see `undoing`), in the transaction of the act itself.
    Returns None if nothing changed that could be undone."""
    if before is None:
        return None
    return undo_log.record(user, action, before)


def undoable_by(user: Viewer) -> QuerySet[Change]:
    """Return the user's own acts, with those that have been undone already."""
    return Change.objects.filter(user_id=user.pk or 0, action__in=undoing.UNDO)


@transaction.atomic
def undo(change_id: UUID, user: User) -> int:
    """Undo one of the user's own acts, except where newer changes have replaced it. Returns how
    many pictures have their former state again.

    Raises Change.DoesNotExist for acts of others, and Expired for an act that has been undone
    before or is too old.
    """
    lock_user(user)
    change = undoable_by(user).select_for_update(no_key=True).get(pk=change_id)
    if change.undone_at is not None:
        raise Expired("already_undone", _("This has been undone already."))
    if change.created_at < timezone.now() - KEEP:
        raise Expired("undo_expired", _("This was too long ago to be undone."))
    restored = undoing.UNDO[change.action](change.before, user)
    change.undone_at = timezone.now()
    change.save(update_fields=["undone_at"])
    return restored


def forget_old() -> int:
    """Remove acts that can no longer be undone. Returns how many."""
    return Change.objects.filter(created_at__lt=timezone.now() - KEEP).delete()[0]

"""What somebody did to many pictures, kept for a while so that it can be undone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from gallery.errors import Expired
from gallery.library.user_lock import lock_user
from gallery.models import Change, User
from gallery.organising import undo_log, undoing

KEEP = timedelta(days=30)


def record(user: User, action: str, before: dict[str, Any] | None) -> Change | None:
    """Keep what `before` says (see `undoing`), in the transaction of the act itself.
    None, where nothing changed that could be undone."""
    if before is None:
        return None
    return undo_log.record(user, action, before)


def undoable_by(user: User | AnonymousUser) -> QuerySet[Change]:
    """One's own acts, also those that have been undone already."""
    return Change.objects.filter(user_id=user.pk or 0, action__in=undoing.UNDO)


@transaction.atomic
def undo(change_id: UUID, user: User) -> int:
    """Take back one's own act, wherever nothing newer has come over it. Returns how
    many pictures have their former state again.

    Raises Change.DoesNotExist for what is not one's own, and Expired for what has
    been undone before or is too long ago.
    """
    lock_user(user)
    change = undoable_by(user).select_for_update().get(pk=change_id)
    if change.undone_at is not None:
        raise Expired("already_undone", _("This has been undone already."))
    if change.created_at < timezone.now() - KEEP:
        raise Expired("undo_expired", _("This was too long ago to be undone."))
    restored = undoing.UNDO[change.action](change.before, user)
    change.undone_at = timezone.now()
    change.save(update_fields=["undone_at"])
    return restored


def forget_old() -> int:
    """Remove what can no longer be undone. Returns how many acts."""
    return Change.objects.filter(created_at__lt=timezone.now() - KEEP).delete()[0]

"""An account and all that is its own go: at once for everybody to see, and then, in
a worker, from the database and the disk.

The row that says so is the ledger: a worker that dies goes on where it was, and the
sweep rings for every account that is left (`requested`).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from gallery import doorbell, trail
from gallery.accounts import roles, sessions, tokens
from gallery.library.service import purge_image
from gallery.library.turns import wait_for_turn
from gallery.models import Album, Group, Image, ImportBatch, Invitation, ShareLink, User
from gallery.trail import Event

logger = logging.getLogger(__name__)

TASK = "gallery.tasks.remove_account"


@dataclass(frozen=True)
class Losses:
    """What goes with an account."""

    images: int
    albums: int
    groups: int
    links: int


def losses_of(user: User) -> Losses:
    """What its owner should know before it is gone. The trash counts, too."""
    return Losses(
        images=Image.objects.filter(owner=user).count(),
        albums=Album.objects.owned_by(user).count(),
        groups=Group.objects.filter(owner=user).count(),
        links=ShareLink.objects.live().filter(created_by=user).count(),
    )


@transaction.atomic
def request_deletion(user: User) -> None:
    """From now on nobody signs in to the account and nobody sees anything of it; a
    worker removes it. Repeating this changes nothing.

    Raises Refusal (last_administrator).
    """
    roles.refuse_if_last({user.pk})
    wait_for_turn(user)
    account = User.objects.select_for_update().get(pk=user.pk)
    if account.deletion_requested_at is None:
        now = timezone.now()
        account.deletion_requested_at = now
        account.is_active = False
        account.save(update_fields=["deletion_requested_at", "is_active"])
        Image.objects.owned_by(account).update(deleted_at=now)
        Album.objects.owned_by(account).update(deleted_at=now)
        ShareLink.objects.filter(created_by=account, revoked_at=None).update(revoked_at=now)
        Invitation.objects.live().filter(created_by=account).update(revoked_at=now)
        ImportBatch.objects.filter(owner=account, finished_at=None).update(
            state=ImportBatch.State.CANCELLED, finished_at=now
        )
        Group.objects.filter(owner=account).delete()
        tokens.end_all(account)
        sessions.end_all(account)
        trail.record(Event.ACCOUNT_DELETION_ASKED, account)
    doorbell.ring(TASK, account.pk)


def requested() -> list[int]:
    """The accounts that are still to be removed."""
    waiting = User.objects.filter(deletion_requested_at__isnull=False)
    return list(waiting.order_by("deletion_requested_at").values_list("pk", flat=True))


def remove(user_id: int) -> bool:
    """Remove a deleted account with its pictures and files; whether it is gone.

    Each picture is a transaction of its own (the row, then its files), so that a
    worker that dies has lost nothing. Two workers at once do no harm.
    """
    account = User.objects.filter(pk=user_id, deletion_requested_at__isnull=False).first()
    if account is None:
        return not User.objects.filter(pk=user_id).exists()
    images = Image.objects.filter(owner_id=user_id)
    for image in images.defer("exif", "placeholder").iterator(chunk_size=200):
        purge_image(image)
    with transaction.atomic():
        # Waits for an upload that was on its way in; none comes in after it.
        if not User.objects.select_for_update().filter(pk=user_id).exists():
            return True  # another worker was quicker
        if images.exists():
            doorbell.ring(TASK, user_id)
            return False
        account.delete()
        trail.record(Event.ACCOUNT_REMOVED, name=account.get_username())
    logger.info("The account %s has been removed.", user_id)
    return True

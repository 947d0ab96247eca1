"""Deletion of an account with all its data: it disappears for everybody at once, and a worker
then removes it from the database and the disk.

The account's row records the request. One worker at a time removes an account, with a lease of
its row (gallery.work.leases). If the worker dies, another one goes on.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from gallery import dispatch, task_names, trail
from gallery.accounts import roles, sessions, tokens
from gallery.labels import sets as label_sets
from gallery.library.service import purge_image
from gallery.library.user_lock import lock_user
from gallery.models import Album, Group, Image, ImportBatch, Invitation, ShareLink, User
from gallery.trail import Event
from gallery.work import leases
from gallery.work.drain import stopping
from gallery.work.leases import Lease, Lost

logger = logging.getLogger(__name__)


# Renewed with each picture, which takes far less time.
LEASE = timedelta(seconds=60)


@dataclass(frozen=True)
class Losses:
    """The numbers of objects that are deleted with an account."""

    images: int
    albums: int
    groups: int
    links: int


def losses_of(user: User) -> Losses:
    """Count what the owner loses with the account, including the trash."""
    return Losses(
        images=Image.objects.filter(owner=user).count(),
        albums=Album.objects.owned_by(user).count(),
        groups=Group.objects.filter(owner=user).count(),
        links=ShareLink.objects.live().filter(created_by=user).count(),
    )


@transaction.atomic
def request_deletion(user: User) -> None:
    """Close the account and hide all its data at once; a worker removes them. Another call
    changes nothing.

    Raises Refusal (last_administrator).
    """
    roles.refuse_if_last({user.pk})
    lock_user(user)
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
            state=ImportBatch.State.CANCELLED, finished_at=now, **leases.FREE
        )
        Group.objects.filter(owner=account).delete()
        tokens.end_all(account)
        sessions.end_all(account)
        trail.record(Event.ACCOUNT_DELETION_ASKED, account)
    dispatch.on_commit(task_names.REMOVE_ACCOUNTS)


def requested() -> QuerySet[User]:
    """The accounts that are still to be removed, the oldest request first."""
    return User.objects.filter(deletion_requested_at__isnull=False).order_by(
        "deletion_requested_at", "pk"
    )


def is_waiting() -> bool:
    """Whether an account is still to be removed and no worker does so."""
    return requested().filter(leases.free()).exists()


def remove_requested() -> None:
    """Remove the requested accounts one by one, except those that another worker removes."""
    while not stopping.is_set() and (lease := leases.take(requested(), LEASE)):
        try:
            _remove(lease)
        except Lost:
            logger.warning("The account %s is removed by another worker.", lease.row.pk)


def _remove(lease: Lease[User]) -> None:
    """Remove an account with its pictures and files. If a picture is added meanwhile, leave the
    account to the next turn. Raises Lost.

    Each picture is a separate transaction (the row, then its files), so that a worker that
    dies loses nothing.
    """
    user_id, name = lease.row.pk, lease.row.get_username()
    images = Image.objects.filter(owner_id=user_id)
    for image in images.defer("exif", "placeholder").iterator(chunk_size=200):
        lease.keep()
        purge_image(image)
        if stopping.is_set():
            break
    label_sets.purge_of(lease.row)
    with transaction.atomic():
        # This waits for a running upload; none can come after it.
        User.objects.select_for_update().filter(pk=user_id).first()
        if images.exists():
            lease.release()
            return
        lease.hold()
        lease.row.delete()
        trail.record(Event.ACCOUNT_REMOVED, name=name)
    logger.info("The account %s has been removed.", user_id)

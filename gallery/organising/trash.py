"""Removing for good, thousands at once: what the user gives up is out of sight at
once, and a worker removes rows and files one by one, for as long as it takes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from gallery import dispatch
from gallery.library import service
from gallery.library.user_lock import lock_user
from gallery.models import Album, Image, User
from gallery.models.image import GIVEN_UP
from gallery.organising import changes, downloads

TASK = "gallery.tasks.purge_trash"


def condemn(image_ids: Sequence[UUID]) -> int:
    """Give up pictures that lie in the trash. Returns how many.

    A worker that dies goes on with the rest; the same bytes uploaded before it
    comes bring the picture back, as from the trash.
    """
    return _give_up(pk__in=image_ids)


@transaction.atomic
def empty(user: User) -> int:
    """Give up everything in the user's trash, albums too. Returns how many pictures."""
    lock_user(user)
    Album.objects.in_trash_of(user).delete()
    return _give_up(owner=user)


def _give_up(**which: object) -> int:
    lying = Image.objects.filter(deleted_at__gt=GIVEN_UP, **which)
    given_up = lying.update(deleted_at=GIVEN_UP)
    if given_up:
        dispatch.on_commit(TASK)
    return given_up


def is_given_up() -> bool:
    """Whether anything is to be removed at once."""
    return Image.objects.filter(deleted_at=GIVEN_UP).exists()


def purge_expired() -> int:
    """Remove what was given up or has lain in the trash for TRASH_DAYS, and what can no
    longer be undone. Returns the number of pictures."""
    keep = timedelta(days=settings.TRASH_DAYS)
    Album.objects.filter(deleted_at__lt=timezone.now() - keep).delete()
    changes.forget_old()
    downloads.forget_old()
    return service.purge_trash(older_than=keep)

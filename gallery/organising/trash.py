"""Removes pictures for good, thousands at once. Pictures that the user gives up disappear at once;
a worker then removes rows and files one by one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from gallery import dispatch, task_names
from gallery.library import service
from gallery.library.user_lock import lock_user
from gallery.models import Album, Image, User
from gallery.models.image import GIVEN_UP
from gallery.organising import changes, downloads


def condemn(image_ids: Sequence[UUID]) -> int:
    """Give up pictures that are in the trash. Returns how many.

    If a worker dies, the rest is removed later. An upload of the same bytes before that brings
    the picture back, as from the trash.
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
        dispatch.on_commit(task_names.PURGE_TRASH)
    return given_up


def is_given_up() -> bool:
    """Return whether there are pictures to be removed at once."""
    return Image.objects.filter(deleted_at=GIVEN_UP).exists()


def purge_expired() -> int:
    """Remove pictures that were given up, pictures and albums that were in the trash for
    TRASH_DAYS, and acts and downloads that have expired. Returns the number of pictures."""
    keep = timedelta(days=settings.TRASH_DAYS)
    Album.objects.filter(deleted_at__lt=timezone.now() - keep).delete()
    changes.forget_old()
    downloads.forget_old()
    return service.purge_trash(older_than=keep)

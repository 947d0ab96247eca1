"""The storage quota of an account. Pictures in the trash count, since they still exist."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.db.models import Count, Sum
from django.db.models.functions import Coalesce
from django.template.defaultfilters import filesizeformat
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from gallery import checked_cache
from gallery.errors import TooLarge
from gallery.models import Image, User

_SECONDS = 60


@dataclass(frozen=True)
class Usage:
    """What an account stores, and its limits (None: no limit)."""

    bytes: int
    images: int
    max_bytes: int | None
    max_images: int | None

    def has_room_for(self, more_bytes: int, more_images: int) -> bool:
        return (self.max_bytes is None or self.bytes + more_bytes <= self.max_bytes) and (
            self.max_images is None or self.images + more_images <= self.max_images
        )


def usage(user: User) -> Usage:
    kept = Image.objects.filter(owner_id=user.pk).aggregate(
        bytes=Coalesce(Sum("byte_size"), 0), images=Count("pk")
    )
    return Usage(**kept, max_bytes=_max_bytes(user), max_images=_max_images(user))


def recent_usage(user: User) -> Usage:
    """Return the usage of at most a minute ago, for what every page shows: the sum takes as long as
    the account has pictures."""
    key = f"usage:{user.pk}"
    kept = checked_cache.get(key, _counts)
    if kept is None:
        now = usage(user)
        kept = now.bytes, now.images
        cache.set(key, kept, _SECONDS)
    return Usage(*kept, max_bytes=_max_bytes(user), max_images=_max_images(user))


def _counts(plain: Any) -> tuple[int, int]:
    stored, images = plain
    return int(stored), int(images)


def check(user: User, more_bytes: int, more_images: int = 1) -> None:
    """Raise TooLarge (quota_exceeded) if that much more does not fit."""
    if not _is_limited(user):
        return
    now = usage(user)
    if not now.has_room_for(more_bytes, more_images):
        raise TooLarge("quota_exceeded", _full(now))


def check_and_hold(user: User, more_bytes: int) -> None:
    """Check the quota for a picture whose row is made in this transaction. The owner's quota
    stays locked until the transaction ends, so that two uploads never share the last room.

    The owner's limits are read again, since an administrator may have changed them.
    """
    user.refresh_from_db(fields=["quota_bytes", "quota_images"])
    if not _is_limited(user):
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"quota:{user.pk}"]
        )
    check(user, more_bytes)


def _max_bytes(user: User) -> int | None:
    own = user.quota_bytes
    return (settings.QUOTA_BYTES if own is None else own) or None


def _max_images(user: User) -> int | None:
    own = user.quota_images
    return (settings.QUOTA_IMAGES if own is None else own) or None


def _is_limited(user: User) -> bool:
    return _max_bytes(user) is not None or _max_images(user) is not None


def _full(now: Usage) -> str:
    used = []
    if now.max_bytes is not None:
        used.append(
            _("%(used)s of %(most)s")
            % {"used": filesizeformat(now.bytes), "most": filesizeformat(now.max_bytes)}
        )
    if now.max_images is not None:
        used.append(
            _("%(used)s of %(most)s pictures")
            % {"used": number_format(now.images), "most": number_format(now.max_images)}
        )
    return _(
        "There is no room for this in your gallery: %(used)s are used. Delete pictures for "
        "good (the trash counts, too) or ask the administrator for more room."
    ) % {"used": ", ".join(used)}

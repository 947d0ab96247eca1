"""Favourites of a user. Any visible picture may be one, and nobody else sees them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from gallery.library import caps
from gallery.library.user_lock import lock_user
from gallery.models import Favourite, User

# mark id, image id, since when
Mark = tuple[int, UUID, datetime]


@transaction.atomic
def mark(user: User, image_ids: Sequence[UUID]) -> list[int]:
    """Make pictures favourites; the caller has checked that `user` may see them. Returns the new
    marks. Raises Refusal (too_many_favourites)."""
    lock_user(user)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO gallery_favourite (user_id, image_id, created_at)"
            " SELECT %s, id, now() FROM gallery_image WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE"
            " ON CONFLICT (user_id, image_id) DO NOTHING RETURNING id",
            [user.pk, list(image_ids)],
        )
        marks = [row[0] for row in cursor.fetchall()]
    caps.refuse_beyond(caps.FAVOURITES, user)
    return marks


def unmark(user: User, image_ids: Sequence[UUID]) -> list[Mark]:
    """Remove pictures from the favourites. Returns the removed marks."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM gallery_favourite WHERE user_id = %s AND image_id = ANY(%s)"
            " RETURNING id, image_id, created_at",
            [user.pk, list(image_ids)],
        )
        return cursor.fetchall()


def remove_marks(user: User, marks: Sequence[int]) -> int:
    """Remove the marks that `mark` returned. Returns how many."""
    return Favourite.objects.filter(user=user, pk__in=marks).delete()[0]


def mark_again(user: User, marks: Sequence[tuple[int, str, str]]) -> int:
    """Restore the marks that `unmark` returned, except those of pictures that are gone or marked
    again. Returns how many. Raises Refusal (too_many_favourites)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO gallery_favourite (id, user_id, image_id, created_at)"
            " SELECT former.id, %s, image.id, former.moment"
            " FROM unnest(%s::bigint[], %s::uuid[], %s::timestamptz[])"
            "  AS former (id, image_id, moment)"
            " JOIN gallery_image image ON image.id = former.image_id"
            " ORDER BY image.id FOR KEY SHARE OF image"
            " ON CONFLICT (user_id, image_id) DO NOTHING",
            [user.pk, *([mark[field] for mark in marks] for field in range(3))],
        )
        count = cursor.rowcount
    caps.refuse_beyond(caps.FAVOURITES, user)
    return count

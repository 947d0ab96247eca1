"""A lock that serialises the acts of one user on many rows.

Two acts that update the same rows in different orders would deadlock. Only the user's own
acts change many of these rows at once.
"""

from __future__ import annotations

from django.db import connection

from gallery.models import User


def lock_user(user: User) -> None:
    """Take the user's lock and hold it until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"acts:{user.pk}"])

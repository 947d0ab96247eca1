"""Acts on many rows of one person come one after the other.

Two that update the same rows in different orders would wait for each other, until
the database ends one of them. Nobody else changes these rows in numbers.
"""

from __future__ import annotations

from django.db import connection

from gallery.models import User


def lock_user(user: User) -> None:
    """Hold the user's turn until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"acts:{user.pk}"])

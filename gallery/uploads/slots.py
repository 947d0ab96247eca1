"""Limits how many requests receive files at once: one for each upload, a few for each account,
and so few in all that slow clients cannot occupy all threads of a web process.

The slots protect the threads of one process, so each process has its own, with the same limit
for each account.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.conf import settings
from django.db import connection

from gallery.uploads.errors import Busy, Crowded


class Slots:
    """`most` slots, at most `each` of them for one account."""

    def __init__(self, most: int, each: int) -> None:
        self._most, self._each = most, each
        self._taken: Counter[int] = Counter()
        self._lock = threading.Lock()

    def take(self, account: int) -> bool:
        with self._lock:
            if self._taken.total() >= self._most or self._taken[account] >= self._each:
                return False
            self._taken[account] += 1
            return True

    def give_back(self, account: int) -> None:
        with self._lock:
            self._taken[account] -= 1
            self._taken += Counter()  # drops accounts without a slot


slots = Slots(settings.UPLOADS_AT_ONCE, settings.UPLOADS_AT_ONCE_EACH)


@contextmanager
def slot(account: int) -> Iterator[None]:
    """Hold one of the slots of this process.

    Raises Crowded if none is free: waiting for one would occupy a thread, too.
    """
    if not slots.take(account):
        raise Crowded
    try:
        yield
    finally:
        slots.give_back(account)


@contextmanager
def only_writer(upload_id: UUID) -> Iterator[None]:
    """Hold the upload's lock: nobody else writes to the upload, finishes or removes it
    meanwhile. Raises Busy.

    The lock belongs to the database connection, not to a transaction: so no transaction is
    open while the client is slow, and a process that dies leaves no lock behind.
    """
    if not _ask("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", upload_id):
        raise Busy
    try:
        yield
    finally:
        _ask("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", upload_id)


def try_hold(upload_id: UUID) -> bool:
    """Try to take the same lock until the transaction ends. Return whether it succeeded."""
    return _ask("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", upload_id)


def _ask(query: str, upload_id: UUID) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(query, [f"upload:{upload_id}"])
        (answer,) = cursor.fetchone()
    return bool(answer)

"""Who may receive a file now: one request for each upload, few for each account, and
never so many at once that slow clients keep a web process from everything else.

The places are those of one process, since what they protect is its threads. Each
process has its own, of which an account gets the same share.
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
    """`most` at once, `each` of them for one account."""

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
            self._taken += Counter()  # forgets accounts that have none


slots = Slots(settings.UPLOADS_AT_ONCE, settings.UPLOADS_AT_ONCE_EACH)


@contextmanager
def slot(account: int) -> Iterator[None]:
    """One of the few threads of this process that may wait for a client.

    Raises Crowded: waiting here would take a thread, too.
    """
    if not slots.take(account):
        raise Crowded
    try:
        yield
    finally:
        slots.give_back(account)


@contextmanager
def only_writer(upload_id: UUID) -> Iterator[None]:
    """Nobody else writes to the upload, finishes or forgets it. Raises Busy.

    The lock belongs to the connection to the database, not to a transaction: none is
    open while the client is slow, and a process that dies leaves no lock behind.
    """
    if not _ask("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", upload_id):
        raise Busy
    try:
        yield
    finally:
        _ask("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", upload_id)


def try_hold(upload_id: UUID) -> bool:
    """The same lock until the transaction ends; whether nobody else has it."""
    return _ask("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", upload_id)


def _ask(query: str, upload_id: UUID) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(query, [f"upload:{upload_id}"])
        (answer,) = cursor.fetchone()
    return bool(answer)

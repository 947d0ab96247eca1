"""Who may keep a thread waiting for a file now: one request for each upload, few for
each sender, and never so many at once that slow clients keep a web process from
everything else.

The places are those of one process, since what they protect is its threads. Each
process has its own, of which a sender gets the same share in each.
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


class Places:
    """`most` at once, `each` of them for one sender."""

    def __init__(self, most: int, each: int) -> None:
        self._most, self._each = most, each
        self._taken: Counter[str] = Counter()
        self._lock = threading.Lock()

    def take(self, sender: str) -> bool:
        with self._lock:
            if self._taken.total() >= self._most or self._taken[sender] >= self._each:
                return False
            self._taken[sender] += 1
            return True

    def give_back(self, sender: str) -> None:
        with self._lock:
            self._taken[sender] -= 1
            self._taken += Counter()  # forgets senders that have none


places = Places(settings.UPLOADS_AT_ONCE, settings.UPLOADS_AT_ONCE_EACH)
_this_thread = threading.local()


def account(user_id: int) -> str:
    """An account as a sender; a visitor is one by address."""
    return f"account:{user_id}"


def address(address: str) -> str:
    return f"address:{address}"


@contextmanager
def place(sender: str) -> Iterator[None]:
    """A place for what this thread receives. Raises Crowded: waiting for one would take
    a thread, too."""
    if not places.take(sender):
        raise Crowded
    _this_thread.has_place = True
    try:
        yield
    finally:
        _this_thread.has_place = False
        places.give_back(sender)


def has_place() -> bool:
    return getattr(_this_thread, "has_place", False)


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

"""Who may receive a file now: one request for each upload, and never so many at once
that slow clients keep a web process from everything else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.conf import settings
from django.db import connection

from gallery.uploads.errors import Busy, Crowded

_places = threading.BoundedSemaphore(settings.UPLOADS_AT_ONCE)


@contextmanager
def place() -> Iterator[None]:
    """One of the few threads of this process that may wait for a client.

    Raises Crowded: waiting here would take a thread, too.
    """
    if not _places.acquire(blocking=False):
        raise Crowded
    try:
        yield
    finally:
        _places.release()


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

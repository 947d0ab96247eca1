"""Migrations of large tables while somebody reads them."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, connections, transaction

from gallery.migrations._locks import shut_out_readers


@pytest.mark.django_db(transaction=True)
def test_a_reader_that_holds_what_we_want_and_wants_what_we_hold_is_not_ended() -> None:
    """Once PostgreSQL ended the reader or the migration after a second."""
    holds, done = threading.Event(), threading.Event()
    errors: list[BaseException] = []

    def read() -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM gallery_embedding")
                holds.set()
                # The other one holds the images now and waits for the embeddings.
                done.wait(0.2)
                cursor.execute("SELECT count(*) FROM gallery_image")
                done.wait(1.5)
        except BaseException as error:
            errors.append(error)
        finally:
            connections.close_all()

    reader = threading.Thread(target=read)
    reader.start()
    assert holds.wait(10)
    with transaction.atomic(), connection.cursor() as cursor:
        shut_out_readers(cursor, "gallery_image", "gallery_embedding")
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted"
            " AND pid = pg_backend_pid()"
            " AND relation IN ('gallery_image'::regclass, 'gallery_embedding'::regclass)"
        )
        assert cursor.fetchone() == (2,)
    reader.join(10)
    assert errors == []

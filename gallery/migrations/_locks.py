"""Locks that migrations take while the site is being read."""

from __future__ import annotations

import time
from typing import Any

from django.db import OperationalError, transaction


def shut_out_readers(cursor: Any, *tables: str) -> None:
    """Until the transaction ends. All tables or none: a reader may hold one that we want and
    wait for one that we hold. Nobody waits long enough for PostgreSQL to end one of the two."""
    while True:
        try:
            with transaction.atomic():
                cursor.execute("SET LOCAL lock_timeout = '300ms'")
                cursor.execute(f"LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE")
                cursor.execute("SET LOCAL lock_timeout = 0")
                return
        except OperationalError:
            time.sleep(0.1)

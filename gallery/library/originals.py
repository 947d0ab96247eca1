"""The files of originals, and their invariant: the file of every row exists.

Two uploads of the same bytes, or an upload and a purge, may run at the same time. Each
decision about such a file (a row will name it, or no row names it any more) is made under an
advisory lock of PostgreSQL for the owner and the hash.
"""

from __future__ import annotations

import hashlib
from typing import IO

from django.core.files import File
from django.core.files.storage import default_storage
from django.db import connection, transaction

from gallery.models import Image


def sha256_of(file: File[bytes]) -> str:
    """Return the SHA-256 of the content in hexadecimal. Reads in chunks."""
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    return digest.hexdigest()


def as_django_file(file: IO[bytes] | File[bytes]) -> File[bytes]:
    return file if isinstance(file, File) else File(file)


def lock_original(owner_id: int, sha256: str) -> None:
    """Take the lock of one original and hold it until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
            [f"original:{owner_id}:{sha256}"],
        )


def remove_original_if_unnamed(owner_id: int, sha256: str, name: str) -> None:
    """Remove a file unless a row names it.

    If the database fails, the file stays: a file too many does no harm.
    """
    with transaction.atomic():
        lock_original(owner_id, sha256)
        if not Image.objects.filter(owner_id=owner_id, sha256=sha256).exists():
            default_storage.delete(name)

"""The files of originals, and the one rule about them: a row's file exists.

Two uploads of the same bytes, or an upload and a purge, may meet. Each decision
about such a file (a row is about to name it; nobody names it any more) is made
under a lock of the database that belongs to the owner and the hash.
"""

from __future__ import annotations

import hashlib
from typing import IO

from django.core.files import File
from django.core.files.storage import default_storage
from django.db import connection, transaction

from gallery.models import Image


def sha256_of(file: File[bytes]) -> str:
    """The SHA-256 of the content in hexadecimal, read in chunks."""
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    return digest.hexdigest()


def as_django_file(file: IO[bytes] | File[bytes]) -> File[bytes]:
    return file if isinstance(file, File) else File(file)


def lock_original(owner_id: int, sha256: str) -> None:
    """Wait for, and hold until the transaction ends, the lock of one original."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
            [f"original:{owner_id}:{sha256}"],
        )


def remove_original_if_unnamed(owner_id: int, sha256: str, name: str) -> None:
    """Remove a file unless a row names it.

    If the database cannot be asked, the file stays: one too many does no harm.
    """
    with transaction.atomic():
        lock_original(owner_id, sha256)
        if not Image.objects.filter(owner_id=owner_id, sha256=sha256).exists():
            default_storage.delete(name)

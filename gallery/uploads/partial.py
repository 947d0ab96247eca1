"""Partial files of uploads, on the local disk.

A part counts once it is on the disk *and* its end is committed in the database. Bytes after
that end come from a request that died, and are overwritten.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from django.conf import settings

_SUFFIX = ".part"
# The space that uploads leave free on the disk for other programs.
_RESERVE = 256 * 1024 * 1024
_KEPT_IN_MEMORY = 4 * 1024 * 1024


def path_of(upload_id: UUID) -> Path:
    return folder() / f"{upload_id}{_SUFFIX}"


def folder() -> Path:
    """Return the folder of partial files. The first call creates it."""
    place = Path(settings.UPLOAD_DIR)
    if not place.is_dir():
        place.mkdir(mode=0o750, parents=True, exist_ok=True)
        _sync_folder(place.parent)
    return place


def size_of(upload_id: UUID) -> int:
    """The bytes on the disk, including an uncommitted tail; 0 if there is no file."""
    try:
        return path_of(upload_id).stat().st_size
    except FileNotFoundError:
        return 0


class Tail:
    """Writes to the end of a file; `written` counts the bytes."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.written = 0

    def write(self, piece: bytes) -> None:
        self.written += len(piece)
        while piece:
            piece = piece[os.write(self._descriptor, piece) :]


@contextmanager
def appending(upload_id: UUID, offset: int) -> Iterator[Tail]:
    """Truncate the file at `offset` and yield a writer for its end. When the block ends, all
    written bytes are on the disk."""
    path = path_of(upload_id)
    is_new = not path.exists()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o640)
    try:
        os.ftruncate(descriptor, offset)
        os.lseek(descriptor, offset, os.SEEK_SET)
        yield Tail(descriptor)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if is_new:
        _sync_folder(path.parent)


def remove(upload_id: UUID) -> None:
    path_of(upload_id).unlink(missing_ok=True)


def scratch() -> tempfile.SpooledTemporaryFile[bytes]:
    """Return a temporary file in memory. A large one is on the disk, without a name."""
    return tempfile.SpooledTemporaryFile(_KEPT_IN_MEMORY, dir=str(folder()))


def has_room_for(more_bytes: int) -> bool:
    return shutil.disk_usage(folder()).free - more_bytes >= _RESERVE


def remove_strays(older_than: timedelta, is_needed: Callable[[UUID], bool]) -> int:
    """Remove files that nothing needs any more, because a process was killed between the commit
    and the removal, or an account was deleted. Return their number."""
    limit = time.time() - older_than.total_seconds()
    removed = 0
    for path in folder().glob(f"*{_SUFFIX}"):
        with suppress(FileNotFoundError, ValueError):  # just removed; not an upload's name
            if path.stat().st_mtime < limit and not is_needed(UUID(path.stem)):
                path.unlink()
                removed += 1
    return removed


def _sync_folder(place: Path) -> None:
    """Sync the folder, so that its names survive a crash of the machine."""
    descriptor = os.open(place, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

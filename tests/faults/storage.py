"""The site's storage, with faults. A flag file names the current fault."""

from __future__ import annotations

import enum
import errno
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files import File

from gallery.library.storage import DurableFileSystemStorage


class Ill(enum.StrEnum):
    """The faults of the storage. A full or read-only storage can still be read."""

    FULL = "full"
    READ_ONLY = "read-only"
    BROKEN = "broken"
    HANGING = "hanging"


_ERRORS = {Ill.FULL: errno.ENOSPC, Ill.READ_ONLY: errno.EROFS, Ill.BROKEN: errno.EIO}


def flag(folder: Path) -> Path:
    return folder / "storage"


class FaultyStorage(DurableFileSystemStorage):
    def _open(self, name: str, mode: str = "rb") -> File[bytes]:
        _fail_if(Ill.BROKEN)
        return super()._open(name, mode)

    def exists(self, name: str) -> bool:
        _fail_if(Ill.BROKEN)
        return super().exists(name)

    def delete(self, name: str) -> None:
        _fail_if(Ill.BROKEN, Ill.READ_ONLY)
        super().delete(name)

    def _save(self, name: str, content: File[bytes]) -> str:
        _fail_if(Ill.BROKEN, Ill.READ_ONLY)
        return super()._save(name, _Filling(content))


class _Filling(File):  # type: ignore[type-arg]
    """Content that is written only half if the disk is full."""

    def __init__(self, content: File[bytes]) -> None:
        super().__init__(content.file, content.name)
        self._content = content

    def chunks(self, chunk_size: int | None = None) -> Iterator[Any]:
        for chunk in self._content.chunks(chunk_size):
            yield chunk[: len(chunk) // 2]
            _fail_if(Ill.FULL)
            yield chunk[len(chunk) // 2 :]


def _fail_if(*ills: Ill) -> None:
    """Raise the system's error if the current fault is one of `ills`. Wait while the storage
    hangs."""
    while (ill := _now()) == Ill.HANGING:
        time.sleep(0.05)
    if ill in ills:
        raise OSError(_ERRORS[ill], os.strerror(_ERRORS[ill]))


def _now() -> Ill | None:
    try:
        return Ill(flag(settings.FAULTS_DIR).read_text())
    except FileNotFoundError:
        return None

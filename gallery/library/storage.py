"""Where files lie, and how they get there without ever being half written.

Names hold no user input: the original's is its owner and its own SHA-256, a
rendition's the id of its picture. The same name therefore always means the same
content, and writing it twice does no harm.
"""

from __future__ import annotations

import errno
import io
import logging
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from django.apps import apps
from django.core.files import File
from django.core.files.storage import FileSystemStorage, default_storage
from django.utils.deconstruct import deconstructible
from django.utils.translation import gettext as _

from gallery.errors import Unavailable

if TYPE_CHECKING:
    from gallery.models import Image

logger = logging.getLogger(__name__)

# Files on their way in, beside the finished ones: renaming is atomic only within
# one file system.
_INCOMING = "incoming"
_ORIGINALS = "originals"


def original_path(owner_id: int, sha256: str, extension: str) -> str:
    return f"{_ORIGINALS}/{owner_id}/{sha256[:2]}/{sha256}.{extension}"


def original_of(image: Image) -> str:
    """The name of the original of a stored picture."""
    return str(image.file.name)


def rendition_path(image: Image, width: int | None) -> str:
    """The name of the rendition `width` pixels wide; None is the full-size clean copy."""
    return rendition_path_of(image.pk, width)


def rendition_path_of(pk: UUID, width: int | None) -> str:
    """The same of the picture with this id."""
    key = str(pk)
    return f"renditions/{key[:2]}/{key}-{width or 'full'}.webp"


def replace_stored(name: str, content: File[bytes]) -> None:
    """Write `content` under exactly `name`. Raises what the storage raises."""
    stored = default_storage.save(name, content)
    if stored != name:
        default_storage.delete(stored)
        raise RuntimeError(f"The storage must replace {name}, not make {stored} beside it.")


def open_stored(name: str) -> File[bytes]:
    """Open for reading. Raises Unavailable (file_missing, storage_unavailable)."""
    with _told_to_the_user(name):
        return default_storage.open(name, "rb")


def read_stored(name: str) -> io.BytesIO:
    """The whole content. Raises Unavailable as `open_stored` does."""
    with open_stored(name) as file, _told_to_the_user(name):
        return io.BytesIO(file.read())


@contextmanager
def _told_to_the_user(name: str) -> Iterator[None]:
    """What a storage raises -> Unavailable, and a line in the log."""
    try:
        yield
    except FileNotFoundError as error:
        logger.error("A file is missing from the storage: %s", name)
        raise Unavailable(
            "file_missing",
            _(
                "The file of this picture is missing on the server. Upload the picture "
                "again or ask the administrator to restore the file."
            ),
            retry_after=300,
        ) from error
    except Exception as error:  # S3 clients bring exceptions of their own
        logger.exception("The storage cannot be read: %s", name)
        raise Unavailable(
            "storage_unavailable",
            _("The picture cannot be read just now. Try again in a moment."),
        ) from error


@deconstructible
class DurableFileSystemStorage(FileSystemStorage):
    """Files appear whole or not at all, and are on the disk when `save` returns.

    An existing file of the same name is replaced (see the module's text).
    """

    def is_name_available(self, name: str, max_length: int | None = None) -> bool:
        return not (max_length and len(name) > max_length)

    def _save(self, name: str, content: File[bytes]) -> str:
        self._check_mounted()
        target = Path(self.path(name))
        incoming = Path(self.path(_INCOMING)) / uuid.uuid4().hex
        self._make_folder(target.parent)
        self._make_folder(incoming.parent)
        try:
            with incoming.open("xb") as file:
                for chunk in content.chunks():
                    file.write(chunk)
                file.flush()
                if self.file_permissions_mode is not None:
                    os.fchmod(file.fileno(), self.file_permissions_mode)
                os.fsync(file.fileno())
            incoming.replace(target)
        except BaseException:
            incoming.unlink(missing_ok=True)
            raise
        _sync_folder(target.parent)
        return name

    def _check_mounted(self) -> None:
        """Where pictures are known and none has its folder, a disk is not mounted: what is
        written then would be out of sight once it is back. Raises OSError."""
        known = apps.get_model("gallery.Image")._default_manager
        if not Path(self.path(_ORIGINALS)).is_dir() and known.exists():
            raise OSError(
                errno.ENODEV,
                f"The folder {_ORIGINALS} is missing: its disk is not mounted. If the pictures "
                "are lost for good, make the folder",
                self.path(_ORIGINALS),
            )

    def _make_folder(self, folder: Path) -> None:
        """Create `folder`; each new name is made durable in the folder above it."""
        if folder.is_dir():
            return
        self._make_folder(folder.parent)
        folder.mkdir(mode=self.directory_permissions_mode or 0o777, exist_ok=True)
        _sync_folder(folder.parent)

    def remove_unfinished(self, older_than: timedelta) -> int:
        """Remove what a killed process left half written. Returns how many files."""
        limit = time.time() - older_than.total_seconds()
        removed = 0
        for path in Path(self.path(_INCOMING)).glob("*"):
            with suppress(FileNotFoundError):  # finished while we look
                if path.stat().st_mtime < limit:
                    path.unlink()
                    removed += 1
        return removed


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

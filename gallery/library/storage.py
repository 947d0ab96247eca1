"""Where files are stored, and how they are written so that no file is ever incomplete.

Names contain no user input: that of an original is made of its owner and its SHA-256, that of
a rendition of the picture's id. The same name therefore always means the same content, and
writing it twice does no harm.
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

# The folder of files that are being written. It lies beside the finished ones, since renaming
# is atomic only within one file system.
_INCOMING = "incoming"
_ORIGINALS = "originals"


def original_path(owner_id: int, sha256: str, extension: str) -> str:
    return f"{_ORIGINALS}/{owner_id}/{sha256[:2]}/{sha256}.{extension}"


def original_of(image: Image) -> str:
    """Return the name of the original of a stored picture."""
    return str(image.file.name)


def rendition_path(image: Image, width: int | None) -> str:
    """Return the name of the rendition `width` pixels wide (None: the full-size clean copy)."""
    return rendition_path_of(image.pk, width, image.edition)


def rendition_path_of(pk: UUID, width: int | None, edition: str = "") -> str:
    """Return the same for the picture with this id. The renditions of an edited picture are in a
    folder of its own, so that all editions are found and removed."""
    key = str(pk)
    return f"renditions/{key[:2]}/{looked_at(pk, edition)}-{width or 'full'}.webp"


def edited_folder_of(pk: UUID) -> str:
    key = str(pk)
    return f"renditions/{key[:2]}/{key}"


def edited_jpeg_path(image: Image) -> str:
    """Return the name of the full-size JPEG of an edited picture, which its owner downloads."""
    return f"{edited_folder_of(image.pk)}/{image.edition}-full.jpg"


def looked_at(pk: UUID, edition: str) -> str:
    """Return the name of a picture with its look, in paths and signatures."""
    return f"{pk}/{edition}" if edition else str(pk)


def replace_stored(name: str, content: File[bytes]) -> None:
    """Write `content` under exactly `name`. Raises what the storage raises."""
    stored = default_storage.save(name, content)
    if stored != name:
        default_storage.delete(stored)
        raise RuntimeError(f"The storage must replace {name}, not make {stored} beside it.")


def is_stored(name: str) -> bool:
    """Return whether the storage has this file. Raises Unavailable (storage_unavailable)."""
    with _errors_as_unavailable(name):
        return default_storage.exists(name)


def is_complete(name: str, size: int) -> bool:
    """Return whether the storage has a file of `size` bytes. Only disks are asked: thousands of
    requests to a bucket would take minutes. Raises Unavailable as `is_stored` does."""
    if not isinstance(default_storage, FileSystemStorage):
        return True
    with _errors_as_unavailable(name):
        return default_storage.exists(name) and default_storage.size(name) == size


def open_stored(name: str) -> File[bytes]:
    """Open for reading. Raises Unavailable (file_missing, changed_meanwhile,
    storage_unavailable)."""
    with _errors_as_unavailable(name):
        return default_storage.open(name, "rb")


def read_stored(name: str) -> io.BytesIO:
    """Return the whole content. Raises Unavailable as `open_stored` does."""
    with open_stored(name) as file, _errors_as_unavailable(name):
        return io.BytesIO(file.read())


@contextmanager
def _errors_as_unavailable(name: str) -> Iterator[None]:
    """Log errors of the storage and raise Unavailable instead."""
    try:
        yield
    except FileNotFoundError as error:
        if not name.startswith(f"{_ORIGINALS}/"):  # removed by an edit since it was looked for
            raise Unavailable(
                "changed_meanwhile",
                _("The picture was changed just now. Try again in a moment."),
                retry_after=1,
            ) from error
        logger.error("A file is missing from the storage: %s", name)
        raise Unavailable(
            "file_missing",
            _(
                "The file of this picture is missing on the server. Upload the picture "
                "again or ask the administrator to restore the file."
            ),
            retry_after=300,
        ) from error
    except Exception as error:  # S3 clients raise exceptions of their own
        logger.exception("The storage cannot be read: %s", name)
        raise Unavailable(
            "storage_unavailable",
            _("The picture cannot be read just now. Try again in a moment."),
        ) from error


@deconstructible
class DurableFileSystemStorage(FileSystemStorage):
    """Files appear whole or not at all, and are on the disk when `save` returns.

    An existing file of the same name is replaced (see the module's docstring).
    """

    def is_name_available(self, name: str, max_length: int | None = None) -> bool:
        return not (max_length and len(name) > max_length)

    def _save(self, name: str, content: File[bytes]) -> str:
        self._check_mounted()
        target = Path(self.path(name))
        incoming = Path(self.path(_INCOMING)) / uuid.uuid4().hex
        self._make_folder(incoming.parent)
        try:
            with incoming.open("xb") as file:
                for chunk in content.chunks():
                    file.write(chunk)
                file.flush()
                if self.file_permissions_mode is not None:
                    os.fchmod(file.fileno(), self.file_permissions_mode)
                os.fsync(file.fileno())
            self._place(incoming, target)
        except BaseException:
            incoming.unlink(missing_ok=True)
            raise
        return name

    def _place(self, incoming: Path, target: Path) -> None:
        """Give the finished file its name. The folder of an edited picture's renditions goes with
        the last of them: if another process removes it just now, it is made again."""
        for tries_left in (2, 1, 0):
            self._make_folder(target.parent)
            try:
                incoming.replace(target)
                break
            except FileNotFoundError:
                if not tries_left:
                    raise
        with suppress(FileNotFoundError):  # removed again, with the file
            _sync_folder(target.parent)

    def _check_mounted(self) -> None:
        """Raise OSError if the database has pictures but the folder of originals is missing.
        Its disk is then not mounted, and would hide files written now once it is back."""
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
        """Remove files that a killed process left half written. Returns how many."""
        limit = time.time() - older_than.total_seconds()
        removed = 0
        for path in Path(self.path(_INCOMING)).glob("*"):
            with suppress(FileNotFoundError):  # finished or removed meanwhile
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

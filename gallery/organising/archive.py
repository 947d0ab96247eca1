"""A ZIP file of pictures, made while it is sent, so that thousands take no memory.

The receiver's right to a picture is checked again when its turn comes. Pictures that are then
left out, or cannot be read, are named in a text inside. The archive is valid in any case.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from uuid import UUID

from django.core.files import File
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from zipstream import ZipStream

from gallery.errors import Refusal, Unavailable
from gallery.library.renditions import ensure_clean_copy
from gallery.library.storage import is_complete, open_stored, original_of
from gallery.models import Image, User
from gallery.organising.dated_zip import DatedZip
from gallery.organising.zip_names import UniqueNames, safe_name, text_in_place_of

logger = logging.getLogger(__name__)

LEFT_OUT = "left-out.txt"

_DAMAGED = gettext_lazy("The file is missing or damaged on the server.")

_CHUNK = 256 * 1024
_AT_ONCE = 1000


@dataclass(frozen=True)
class Entry:
    """A picture under its name in the archive. `size` is in bytes; None for other users'
    pictures, whose copy without metadata may not exist yet. `when` is the local time when it was
    taken, which its page shows to every viewer."""

    image_id: UUID
    name: str
    size: int | None
    when: datetime


class Archive:
    """The pictures of `image_ids` that `user` may see, in this order: own ones as originals under
    their names, others as clean copies under neutral names.

    `length` is known before the first byte if all pictures are the user's own, else None.
    """

    def __init__(self, image_ids: Sequence[UUID], user: User) -> None:
        self._user = user
        self._language = translation.get_language()
        self._entries, self._missing = _entries(image_ids, user)
        self.length = self._length()

    def _length(self) -> int | None:
        if any(entry.size is None for entry in self._entries):
            return None
        planned = DatedZip(sized=True)
        for entry in self._entries:
            planned.add_dated(iter(()), entry.name, entry.when, size=entry.size)
        _add_report(planned, self._missing)
        return len(planned)

    def __iter__(self) -> Iterator[bytes]:
        """Yield the file, part by part. Raises Unavailable if the storage fails in the middle of
        a picture: the receiver then notices that the download is incomplete."""
        archive = DatedZip(sized=self.length is not None)
        missing = list(self._missing)
        for entry in self._entries:
            try:
                with translation.override(self._language):
                    content = _open(entry, self._user)
            except (Refusal, Unavailable) as reason:
                line = f"{entry.name}: {reason}"
                if entry.size is None or self.length is None:
                    missing.append(line)
                    continue
                _add_in_place(archive, entry.name, entry.size, line)
            else:
                archive.add_dated(content, entry.name, entry.when, size=entry.size)
            yield from archive.file()
        with translation.override(self._language):
            _add_report(archive, missing)
        yield from archive.finalize()


def _add_in_place(archive: ZipStream, name: str, size: int, line: str) -> None:
    """Add a text in place of a picture, with the same size, since the length of the archive has
    already been sent."""
    text = f"{line}\n".encode()[:size]
    content = chain([text], _newlines(size - len(text)))
    archive.add(content, text_in_place_of(name), size=size)


def _entries(image_ids: Sequence[UUID], user: User) -> tuple[list[Entry], list[str]]:
    """Return the entries of the archive, and lines about pictures known to be missing."""
    names = UniqueNames()
    names.unique(LEFT_OUT)
    entries, missing = [], []
    for image in _visible(image_ids, user):
        stored, when = original_of(image), image.taken_at
        if not image.is_owned_by(user):
            entries.append(Entry(image.pk, names.unique(f"{image.pk}.webp"), None, when))
            continue
        extension = os.path.splitext(stored)[1]
        name = names.unique(safe_name(image.original_name or str(image.pk), extension))
        if is_complete(stored, image.byte_size):
            entries.append(Entry(image.pk, name, image.byte_size, when))
        else:
            missing.append(f"{name}: {_DAMAGED}")
    return entries, missing


def _visible(image_ids: Sequence[UUID], user: User) -> Iterator[Image]:
    columns = ("pk", "owner_id", "file", "original_name", "byte_size", "taken_at")
    for start in range(0, len(image_ids), _AT_ONCE):
        part = image_ids[start : start + _AT_ONCE]
        found = Image.objects.visible_to(user).filter(pk__in=part).order_by().only(*columns)
        by_id = {image.pk: image for image in found}
        yield from (by_id[pk] for pk in part if pk in by_id)


def _open(entry: Entry, user: User) -> Iterator[bytes]:
    """Return the content. The first part is read at once, so that most errors occur before the
    archive announces the picture. Raises Refusal or Unavailable."""
    image = Image.objects.visible_to(user).filter(pk=entry.image_id).first()
    if image is None:
        raise Refusal("not_shown", _("The picture is no longer there, or not shared with you."))
    stored = original_of(image) if image.is_owned_by(user) else ensure_clean_copy(image)
    file = open_stored(stored)
    try:
        if entry.size is not None and file.size != entry.size:
            raise OSError(f"{stored} has {file.size} bytes instead of {entry.size}")
        first = file.read(_CHUNK)
    except Exception as error:  # S3 clients raise exceptions of their own
        file.close()
        logger.error("A file is left out of an archive: %s", error)
        raise Unavailable("file_damaged", str(_DAMAGED)) from error
    return _rest(file, first)


def _rest(file: File[bytes], part: bytes) -> Iterator[bytes]:
    with file:
        while part:
            yield part
            part = file.read(_CHUNK)


def _add_report(archive: ZipStream, missing: Sequence[str]) -> None:
    if missing:
        lines = [_("These pictures are left out:"), *missing, ""]
        archive.add("\n".join(lines).encode(), LEFT_OUT)


def _newlines(count: int) -> Iterator[bytes]:
    for start in range(0, count, _CHUNK):
        yield b"\n" * min(_CHUNK, count - start)

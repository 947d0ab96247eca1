"""Exports all data of an account as one ZIP file: the untouched originals and a description of
the rest (`export_records`).

The file is made while it is sent. Memory holds only a name for each picture; the description is
in a temporary file. The length is known before the first byte.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO

from django.http import StreamingHttpResponse
from django.utils import timezone
from django.utils.http import content_disposition_header

from gallery import trail
from gallery.accounts.export_records import write_records
from gallery.library.storage import is_complete, open_stored, original_of
from gallery.models import Image, User
from gallery.organising.dated_zip import DatedZip
from gallery.organising.zip_names import UniqueNames, safe_name
from gallery.trail import Event

_CHUNK = 256 * 1024
_FOLDER = "pictures"
DESCRIPTION = "clipsite.json"
MISSING = "missing.txt"


@dataclass(frozen=True)
class Export:
    """`length` is in bytes. `content` opens one file after the other and raises Unavailable if
    the storage fails in between. The download then ends too early, which the receiver notices
    by the length."""

    filename: str
    length: int
    content: Iterator[bytes]


def export_account(user: User) -> Export:
    trail.record(Event.ACCOUNT_EXPORTED, user)
    archive = DatedZip(sized=True)
    names = UniqueNames()
    missing = []
    files: dict[str, str] = {}
    for image in _originals(user):
        name = f"{_FOLDER}/{names.unique(_file_name(image))}"
        stored = original_of(image)
        if not is_complete(stored, image.byte_size):
            missing.append(name)
            continue
        files[str(image.pk)] = name
        archive.add_dated(_read(stored), name, image.taken_at, size=image.byte_size)
    description = _described(user, files)
    archive.add(_drain(description), DESCRIPTION, size=description.tell())
    if missing:
        archive.add(_missing_text(missing), MISSING)
    return Export(
        filename=f"clipsite-{user.get_username()}-{timezone.localdate():%Y-%m-%d}.zip",
        length=len(archive),
        content=iter(archive),
    )


def export_response(user: User) -> StreamingHttpResponse:
    """Return the export as a download. The length lets browsers show the progress."""
    export = export_account(user)
    response = StreamingHttpResponse(export.content, content_type="application/zip")
    response["Content-Length"] = str(export.length)
    response["Content-Disposition"] = content_disposition_header(True, export.filename) or ""
    return response


def _originals(user: User) -> Iterator[Image]:
    """All pictures of `user`, including the trash, in the order of their upload."""
    owned = Image.objects.filter(owner=user).order_by("created_at", "pk")
    columns = ("pk", "file", "original_name", "title", "byte_size", "taken_at")
    return owned.only(*columns).iterator(chunk_size=1000)


def _file_name(image: Image) -> str:
    """The original file name; else the title."""
    extension = PurePosixPath(original_of(image)).suffix
    return safe_name(image.original_name or image.title or str(image.pk), extension)


def _read(stored: str) -> Iterator[bytes]:
    with open_stored(stored) as file:
        yield from file.chunks(_CHUNK)


def _described(user: User, files: dict[str, str]) -> IO[bytes]:
    """Write the description to an unnamed temporary file. Its position is at the end."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by _drain, or with the process
    for text in write_records(user, files):
        file.write(text.encode())
    return file


def _drain(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        file.seek(0)
        while chunk := file.read(_CHUNK):
            yield chunk


def _missing_text(names: list[str]) -> str:
    return "The server has no file of these pictures:\n\n" + "".join(f"{n}\n" for n in names)

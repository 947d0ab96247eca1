"""Reads the pictures of a ZIP file one by one, and never unpacks them under their names.

Nothing that the file declares is trusted: counts and sizes are checked before and during
reading.
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from django.conf import settings
from django.core.files import File
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from gallery import code_pages
from gallery.errors import Refusal, TooLarge
from gallery.library.validation import PICTURE_EXTENSIONS
from gallery.uploads import partial
from gallery.uploads.limits import too_large

# Files that programs add by themselves.
_LITTER = {"thumbs.db", "desktop.ini"}
# Hidden names. ".." is a folder and not hidden.
_HIDDEN = re.compile(r"\.[^.]|__MACOSX$")
_READABLE = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_ENCRYPTED = 0x1
_NAMED_IN_UTF8 = 0x800
# The extra field in which Info-ZIP writes names in UTF-8 (APPNOTE.TXT, 4.6.9).
_UNICODE_PATH = 0x7075
# Refusals that suggest that the file is no picture at all.
_OF_ANOTHER_KIND = {
    *("not_a_picture", "unsupported_format", "empty_file", "too_large"),
    *("encrypted_entry", "unsupported_compression", "damaged_entry"),
}
# Further such refusals for files with another extension: a video may begin like a HEIC file.
_LIKE_A_PICTURE = {"damaged_picture", "too_many_pixels", "too_costly"}
# The list of entries is read at once, so its size is limited: this much for each allowed entry.
_LISTING_BYTES = 1024
_LEAST_READ = 1024 * 1024
# All pictures together may be at most this many times as large as the ZIP file. Photographs
# hardly shrink; only zip bombs shrink a thousandfold.
_LARGEST_RATIO = 100
_PIECE = 256 * 1024


class _Bounded:
    """A file that refuses reads of more than `most` bytes. zipfile reads the list of entries at
    once, and the maker of the file decides its length."""

    def __init__(self, file: IO[bytes], most: int) -> None:
        self._file = file
        self._most = most
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int = -1) -> bytes:
        if size > self._most:
            raise _too_many_entries()
        return self._file.read(size)


def check_is_zip(file: IO[bytes]) -> None:
    """Check that the file is a ZIP file. Raises Refusal (not_a_zip)."""
    file.seek(0)
    if not zipfile.is_zipfile(file):
        raise _not_a_zip()


@contextmanager
def opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a ZIP file and check its list of entries.

    Raises Refusal (not_a_zip, too_many_entries, zip_bomb) or FileNotFoundError.
    """
    with path.open("rb") as file:
        most = max(_LEAST_READ, settings.MAX_ZIP_ENTRIES * _LISTING_BYTES)
        try:
            archive = zipfile.ZipFile(_Bounded(file, most))
        except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError) as error:
            raise _not_a_zip() from error
        with archive:
            _check_listing(archive, path.stat().st_size)
            yield archive


@dataclass(frozen=True)
class Entry:
    """`name` includes the folders and has the right encoding."""

    info: zipfile.ZipInfo
    name: str


def entries(archive: zipfile.ZipFile) -> list[Entry]:
    """The files that the user packed deliberately, in the order of the archive."""
    infos = archive.infolist()
    # A name ends at a null byte.
    names = (name.partition("\0")[0] for name in _names(infos))
    named = (Entry(*pair) for pair in zip(infos, names, strict=True))
    return [entry for entry in named if _is_chosen(entry)]


def _names(infos: Sequence[zipfile.ZipInfo]) -> list[str]:
    """The names of the entries: those that are declared as UTF-8, in the name itself or in an
    extra field, and all others decoded together with one code page."""
    said = [_name_in_utf8(info) for info in infos]
    # zipfile has decoded these as CP437, which has a character for each byte.
    unsaid = iter(
        code_pages.decoded(
            [
                info.orig_filename.encode("cp437")
                for info, name in zip(infos, said, strict=True)
                if name is None
            ]
        )
    )
    return [next(unsaid) if name is None else name for name in said]


def _name_in_utf8(info: zipfile.ZipInfo) -> str | None:
    if info.flag_bits & _NAMED_IN_UTF8:
        return info.orig_filename
    extra = info.extra
    while len(extra) >= 4:
        kind, size = struct.unpack("<HH", extra[:4])
        field, extra = extra[4 : 4 + size], extra[4 + size :]
        if kind == _UNICODE_PATH and len(field) > 5:
            version, checksum = struct.unpack("<BL", field[:5])
            # The checksum differs if another program has renamed the file since.
            if version == 1 and checksum == zlib.crc32(info.orig_filename.encode("cp437")):
                return field[5:].decode("utf-8", errors="replace")
    return None


@contextmanager
def picture(archive: zipfile.ZipFile, entry: Entry) -> Iterator[File[bytes]]:
    """Copy the content of one entry to a temporary file.

    Raises Refusal (encrypted_entry, damaged_entry, unsupported_compression) or
    TooLarge (too_large).
    """
    info = entry.info
    if info.flag_bits & _ENCRYPTED:
        raise Refusal(
            "encrypted_entry", _("This file is protected by a password: pack it without one.")
        )
    if info.compress_type not in _READABLE:
        raise Refusal(
            "unsupported_compression",
            _("This file is compressed in a way that is not supported: pack it as a plain ZIP."),
        )
    if not 0 <= info.header_offset < archive.start_dir:  # entries come before their list
        raise _damaged()
    with partial.scratch() as copy:
        try:
            with archive.open(info) as content:
                size = _copy(content, copy)
        except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError) as error:
            raise _damaged() from error
        file = File(copy)
        file.size = size
        yield file


def _copy(content: IO[bytes], copy: IO[bytes]) -> int:
    """Copy the content and return its size. Raises TooLarge (too_large) before the copy exceeds
    the limit."""
    size = 0
    while piece := content.read(_PIECE):
        size += len(piece)
        if size > settings.MAX_UPLOAD_BYTES:
            raise too_large()
        copy.write(piece)
    return size


def is_of_another_kind(entry: Entry, refusal: Refusal) -> bool:
    """Whether a refused file was, by its name, never meant to be a picture: a file that users
    pack beside their pictures (.json, .mp4)."""
    extension = PurePosixPath(entry.name).suffix.lower().lstrip(".")
    if extension in PICTURE_EXTENSIONS:
        return False
    return refusal.code in _OF_ANOTHER_KIND or bool(extension and refusal.code in _LIKE_A_PICTURE)


def _is_chosen(entry: Entry) -> bool:
    parts = PurePosixPath(entry.name.replace("\\", "/")).parts
    hidden = any(_HIDDEN.match(part) for part in parts)
    is_folder = entry.name.endswith(("/", "\\"))
    return bool(parts) and not (is_folder or hidden or parts[-1].lower() in _LITTER)


def _check_listing(archive: zipfile.ZipFile, byte_size: int) -> None:
    chosen = entries(archive)
    if len(chosen) > settings.MAX_ZIP_ENTRIES:
        raise _too_many_entries()
    unpacked = sum(entry.info.file_size for entry in chosen)
    if unpacked > max(settings.MAX_UPLOAD_BYTES, byte_size * _LARGEST_RATIO):
        raise TooLarge(
            "zip_bomb",
            _("This ZIP file would unpack to more than %(times)s times its size.")
            % {"times": _LARGEST_RATIO},
        )


def _too_many_entries() -> TooLarge:
    return TooLarge(
        "too_many_entries",
        _("This ZIP file holds more than %(most)s files. Split it and upload the parts.")
        % {"most": number_format(settings.MAX_ZIP_ENTRIES)},
    )


def _damaged() -> Refusal:
    return Refusal("damaged_entry", _("This file is damaged in the ZIP file: pack it again."))


def _not_a_zip() -> Refusal:
    return Refusal(
        "not_a_zip", _("This is no ZIP file, or it is damaged: pack it and upload it again.")
    )

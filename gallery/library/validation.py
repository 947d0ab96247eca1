"""Decides whether a file is an accepted picture. The content decides, never the name.

Cheap checks run before expensive ones: size, format by signature, pixels and bytes (counted
from the header), full decode.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

from django.conf import settings
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from PIL import UnidentifiedImageError

from gallery.errors import Refusal, TooLarge
from gallery.library.signatures import foreign_format, looks_accepted
from gallery.pixels import boxes, jobs, raw, tiff
from gallery.pixels.header import Header, read_header
from gallery.pixels.isolation import Undecodable, undecodable_unless_io

logger = logging.getLogger(__name__)

# Pillow's format -> content type, extension. Many phones write a JPEG followed by others
# (depth, a second lens). This counts as a JPEG: the first one is the picture.
_TYPES = {
    "JPEG": ("image/jpeg", "jpg"),
    "PNG": ("image/png", "png"),
    "WEBP": ("image/webp", "webp"),
    "AVIF": ("image/avif", "avif"),
    "HEIF": ("image/heic", "heic"),
    "GIF": ("image/gif", "gif"),
    "TIFF": ("image/tiff", "tiff"),
    "BMP": ("image/bmp", "bmp"),
}

_PICTURE_EXTENSIONS = {extension for _type, extension in _TYPES.values()}.union(
    ("jpeg", "jpe", "jfif", "mpo", "heif", "tif", "dib")
)
# With those of refused formats: people who send such a file want to know why it is refused.
PICTURE_EXTENSIONS = _PICTURE_EXTENSIONS.union(
    ("svg", "svgz", "psd", "psb", "xcf", "jxl", "jp2", "j2k", "ico", "tga", "eps", "ai", "pdf"),
    ("dng", "nef", "nrw", "cr2", "cr3", "crw", "arw", "srf", "sr2", "orf", "rw2", "raf", "pef"),
    ("raw", "rwl", "srw", "x3f", "3fr", "iiq", "erf", "mrw", "dcr", "kdc", "mef", "mos", "exr"),
)


@dataclass(frozen=True)
class PictureFacts:
    """Format and size of a picture. Width and height are those after the EXIF orientation.
    `incomplete`: the file is truncated, and a part of the picture is missing."""

    format: str
    content_type: str
    extension: str
    width: int
    height: int
    incomplete: bool


def inspect_picture(file: IO[bytes], name: str = "") -> PictureFacts:
    """Check that `file` is a picture of an accepted format, whole or truncated, and return its
    format and size.

    `name` is only used to word the refusal. Raises TooLarge (too_large), Refusal (empty_file,
    not_a_picture, unsupported_format, too_many_pixels, too_costly, damaged_picture), all of
    them about the field "file", or Unavailable if too many pictures are being decoded.
    """
    header = check_header(file, name)
    with damage_told():
        incomplete = jobs.is_incomplete(file, header)
    content_type, extension = _TYPES[header.format]
    return PictureFacts(
        header.format, content_type, extension, header.width, header.height, incomplete
    )


def check_header(file: IO[bytes], name: str = "") -> Header:
    """Check everything but the pixels, and return the header. Raises as `inspect_picture`
    does."""
    _check_size(file)
    header = _read_header(file, name)
    if header.pixels > settings.MAX_PIXELS:
        raise _too_many_pixels()
    return header


@contextmanager
def damage_told() -> Iterator[None]:
    """Turn Undecodable into Refusal (damaged_picture)."""
    try:
        yield
    except Undecodable as error:
        logger.info("Refused a damaged picture: %s", error)
        raise _damaged() from error


def _check_size(file: IO[bytes]) -> None:
    size = _size_of(file)
    if size == 0:
        raise Refusal("empty_file", _("This file is empty. Choose another one."), "file")
    if size > settings.MAX_UPLOAD_BYTES:
        limit = number_format(settings.MAX_UPLOAD_BYTES / 1024 / 1024, decimal_pos=0)
        raise TooLarge(
            "too_large",
            _(
                "This file is larger than %(limit)s MB. Save the picture smaller "
                "or with stronger compression and upload that."
            )
            % {"limit": limit},
            "file",
        )


def _size_of(file: IO[bytes]) -> int:
    # An upload knows its size, even if the handler stopped storing it.
    size = getattr(file, "size", None)
    return int(size) if size is not None else file.seek(0, os.SEEK_END)


def _read_header(file: IO[bytes], name: str) -> Header:
    file.seek(0)
    head = file.read(1024)
    _refuse_unread(file, head)
    try:
        return read_header(file)
    except UnidentifiedImageError as error:
        if looks_accepted(head):
            raise _damaged() from error
        raise _not_accepted(head, name) from error
    except Exception as error:
        with damage_told():
            raise undecodable_unless_io(error) from error


def _refuse_unread(file: IO[bytes], head: bytes) -> None:
    """Raise Refusal for a file that a library would decode, but wrongly."""
    kind = raw.kind_of(file)
    if kind is not None:
        message = _(
            "This is a camera RAW file (%(kind)s): it holds what the sensor measured, which is "
            "no picture yet. Export it as JPEG or TIFF in a RAW program and upload that."
        )
        raise Refusal("unsupported_format", message % {"kind": kind}, "file")
    if raw.keeps_picture_elsewhere(file):
        message = _(
            "This TIFF file begins with a small preview and keeps the picture itself where "
            "Clipsite does not read it. Save it as an ordinary TIFF or as JPEG and upload that."
        )
        raise Refusal("unsupported_format", message, "file")
    if tiff.is_tiff(head) and not _is_read(file):
        message = _(
            "Clipsite does not read this kind of TIFF: how its pixels are written, or packed. "
            "Save it with 8 or 16 bits a channel, packed as LZW or not at all, and upload that."
        )
        raise Refusal("unsupported_format", message, "file")
    if boxes.is_container(head) and boxes.is_overlaid(file):
        message = _(
            "This file puts its picture together from several that lie over one another, "
            "which Clipsite does not read. Save it as JPEG and upload that."
        )
        raise Refusal("unsupported_format", message, "file")


def _is_read(file: IO[bytes]) -> bool:
    try:
        return tiff.is_read(file)
    except SyntaxError:  # damaged, which the decoder reports
        return True


def _damaged() -> Refusal:
    return Refusal(
        "damaged_picture",
        _(
            "This picture is damaged or incomplete. Copy it again from where it "
            "came from and upload the copy."
        ),
        "file",
    )


def _too_many_pixels() -> Refusal:
    return Refusal(
        "too_many_pixels",
        _("This picture has more than %(limit)s million pixels. Make it smaller and upload that.")
        % {"limit": number_format(settings.MAX_PIXELS / 1_000_000, decimal_pos=0)},
        "file",
    )


def _not_accepted(head: bytes, name: str) -> Refusal:
    kind = foreign_format(head, name)
    if kind is not None:
        message = _(
            "%(kind)s files are not accepted. Save the picture as JPEG, PNG, WebP, "
            "AVIF, HEIC, GIF, TIFF or BMP and upload that."
        )
        return Refusal("unsupported_format", message % {"kind": kind}, "file")
    extension = os.path.splitext(name)[1].lower()
    if extension.lstrip(".") in _PICTURE_EXTENSIONS:
        message = _(
            "This file is named %(extension)s but holds no picture. Upload a JPEG, "
            "PNG, WebP, AVIF, HEIC, GIF, TIFF or BMP picture."
        )
        return Refusal("not_a_picture", message % {"extension": extension}, "file")
    message = _(
        "This file is not a picture. Upload a JPEG, PNG, WebP, AVIF, HEIC, GIF, "
        "TIFF or BMP picture."
    )
    return Refusal("not_a_picture", message, "file")

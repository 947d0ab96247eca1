"""Is this file a picture that we keep? The content decides, never the name.

Checks in order, so that the cheap ones protect the dear ones: size, sniffed
format, pixel count (from the header), full decode.
"""

from __future__ import annotations

import io
import logging
import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import IO

from django.conf import settings
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from PIL import Image, UnidentifiedImageError

from gallery.encoders.decode import open_picture, orientation_of
from gallery.errors import Refusal, TooLarge
from gallery.library.signatures import foreign_format, looks_accepted

logger = logging.getLogger(__name__)

# Pillow's format -> content type, extension. MPO is what many phones write:
# a JPEG followed by others (depth, a second lens); the first one is the picture.
_TYPES = {
    "JPEG": ("image/jpeg", "jpg"),
    "MPO": ("image/jpeg", "jpg"),
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

# A web process has many threads, and decoding takes 4 to 16 bytes for each pixel
# (most for WebP): small pictures go ahead, big ones wait for one of two places,
# and there is never more than one of the largest.
_BIG_PIXELS = 12_000_000
_HUGE_PIXELS = 50_000_000
_big_decodes = threading.BoundedSemaphore(2)
_huge_decode = threading.Lock()


@dataclass(frozen=True)
class PictureFacts:
    """What a file is. Width and height are those after the EXIF orientation."""

    format: str
    content_type: str
    extension: str
    width: int
    height: int


@contextmanager
def decoding(pixels: int) -> Iterator[None]:
    """Hold one of the few places for big decodes while a picture of `pixels` is decoded."""
    with ExitStack() as places:
        # Always in this order, so that two never wait for each other.
        if pixels >= _HUGE_PIXELS:
            places.enter_context(_huge_decode)
        if pixels >= _BIG_PIXELS:
            places.enter_context(_big_decodes)
        yield


def inspect_picture(file: IO[bytes], name: str = "") -> PictureFacts:
    """Check that `file` is a whole picture of an accepted kind and say what it is.

    `name` is used to word the refusal, for nothing else. Raises TooLarge
    (too_large) or Refusal (empty_file, not_a_picture, unsupported_format,
    too_many_pixels, damaged_picture), all of them about the field "file".
    """
    _check_size(file)
    image = _open(file, name)
    width, height = image.size
    if width * height > settings.MAX_PIXELS:
        raise _too_many_pixels()
    with decoding(width * height):
        _decode_whole(image)
    # Pillow itself turns TIFF, and says so already in the size of the header.
    if image.format != "TIFF" and orientation_of(image) >= 5:
        width, height = height, width
    format_ = image.format or ""
    content_type, extension = _TYPES[format_]
    return PictureFacts(format_, content_type, extension, width, height)


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
    # An upload knows its size, also where the handler stopped storing it.
    size = getattr(file, "size", None)
    return int(size) if size is not None else file.seek(0, os.SEEK_END)


def _open(file: IO[bytes], name: str) -> Image.Image:
    """The picture with its header read. Raises Refusal."""
    file.seek(0)
    head = file.read(1024)
    try:
        return open_picture(file)
    except Image.DecompressionBombError as error:
        raise _too_many_pixels() from error
    except UnidentifiedImageError as error:
        if looks_accepted(head):
            raise _damaged() from error
        raise _not_accepted(head, name) from error
    except Exception as error:
        raise damaged_unless_io(error) from error


def _decode_whole(image: Image.Image) -> None:
    """Read the picture to its end, which is the only way to find that it is cut off.

    A JPEG is decoded at an eighth of its size: that still reads the whole stream.
    """
    if image.format in ("JPEG", "MPO"):
        image.draft("L", (max(1, image.width // 8), max(1, image.height // 8)))
    try:
        image.load()
    except Image.DecompressionBombError as error:
        raise _too_many_pixels() from error
    except Exception as error:
        raise damaged_unless_io(error) from error


def damaged_unless_io(error: Exception) -> Exception:
    """Decoders fed with hostile bytes raise anything at all; all of it means a
    damaged picture, but for the system's own errors (they have a number)."""
    is_io_error = isinstance(error, OSError) and error.errno is not None
    if is_io_error or isinstance(error, MemoryError | io.UnsupportedOperation):
        return error
    logger.info("Refused a damaged picture: %s: %s", type(error).__name__, error)
    return _damaged()


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

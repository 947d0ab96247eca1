"""Pictures that somebody searches with, counted by their pixels before they are decoded."""

from __future__ import annotations

from typing import IO

from django.core.files import File

from gallery import limits
from gallery.encoders.decode import open_picture
from gallery.library import query_picture
from gallery.library.originals import as_django_file
from gallery.library.query_picture import QueryPicture, SmallPicture


def read_query_picture(file: IO[bytes] | File[bytes], name: str) -> QueryPicture:
    """As gallery.library.query_picture. Raises TooMany."""
    limits.charge_pixels(_pixels_of(file))
    return query_picture.read_query_picture(file, name)


def read_small_picture(file: IO[bytes] | File[bytes], name: str) -> SmallPicture:
    """As gallery.library.query_picture. Raises TooMany."""
    limits.charge_pixels(_pixels_of(file))
    return query_picture.read_small_picture(file, name)


def _pixels_of(file: IO[bytes] | File[bytes]) -> int:
    """As its header tells; 0 where it has none: who reads it refuses it."""
    try:
        width, height = open_picture(as_django_file(file)).size
    except Exception:  # decoders fed with hostile bytes raise anything at all
        return 0
    return width * height

"""A picture that is searched with or classified, and not kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO

from django.core.files import File

from gallery.encoders.decode import decode_rgb, pack
from gallery.library.originals import as_django_file, sha256_of
from gallery.library.validation import damaged_unless_io, decoding, inspect_picture


@dataclass(frozen=True)
class QueryPicture:
    """`packed` is what travels to the encoder; `sha256`, of the file as it was sent,
    finds its exact copies."""

    packed: bytes
    sha256: str


def read_query_picture(file: IO[bytes] | File[bytes], name: str) -> QueryPicture:
    """Check and decode. Raises Refusal or TooLarge, as an upload does."""
    content = as_django_file(file)
    facts = inspect_picture(content, name)
    try:
        with decoding(facts.width * facts.height):
            picture = decode_rgb(content)
    except Exception as error:
        raise damaged_unless_io(error) from error
    return QueryPicture(packed=pack(picture), sha256=sha256_of(content))

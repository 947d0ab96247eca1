"""A picture that is searched with or classified, and not stored; and parts of pictures."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import IO

from django.core.files import File
from PIL import Image as PILImage

from gallery.encoders.decode import MIN_SHORT_SIDE, decode_rgb, open_upright, pack, to_rgb
from gallery.library.originals import as_django_file, sha256_of
from gallery.library.storage import original_of, read_stored
from gallery.library.validation import damaged_unless_io, decoding, inspect_picture
from gallery.models import Image

# Of a kept picture: enough for what an encoder sees of a quarter of it.
_KEPT_SHORT_SIDE = 1024
_KEPT_LONG_SIDE = 2560
_KEPT_QUALITY = 92

# A part of a picture as shares of its upright width and height: left, top, width, height.
Part = tuple[float, float, float, float]
WHOLE: Part = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True)
class QueryPicture:
    """`packed` is what travels to the encoder; `sha256`, of the file as it was sent,
    finds its exact copies."""

    packed: bytes
    sha256: str


@dataclass(frozen=True)
class SmallPicture:
    """`content` is an upright JPEG of moderate size, without metadata; `sha256` is of
    the file as it was sent."""

    content: bytes
    sha256: str

    @property
    def ratio(self) -> float:
        """Width by height."""
        with PILImage.open(io.BytesIO(self.content)) as picture:
            return picture.width / picture.height


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


def read_small_picture(file: IO[bytes] | File[bytes], name: str) -> SmallPicture:
    """Check a picture and make it small enough to be kept in memory. Raises Refusal or
    TooLarge, as an upload does."""
    content = as_django_file(file)
    facts = inspect_picture(content, name)
    buffer = io.BytesIO()
    try:
        with decoding(facts.width * facts.height):
            picture = to_rgb(open_upright(content, _KEPT_SHORT_SIDE))
            picture.thumbnail((_KEPT_LONG_SIDE, _KEPT_LONG_SIDE))
            picture.save(buffer, "JPEG", quality=_KEPT_QUALITY)
    except Exception as error:
        raise damaged_unless_io(error) from error
    return SmallPicture(buffer.getvalue(), sha256_of(content))


def packed_part(file: IO[bytes], part: Part = WHOLE) -> bytes:
    """A part of a picture as it travels to the encoder. Raises OSError for a damaged
    file."""
    left, top, width, height = part
    # Of a JPEG only as much is decoded as the part needs.
    picture = to_rgb(open_upright(file, round(MIN_SHORT_SIDE / min(width, height))))
    edges = (left, top, left + width, top + height)
    pixels = [
        round(share * side)
        for share, side in zip(edges, (*picture.size, *picture.size), strict=True)
    ]
    cut = picture.crop(_at_least_one_pixel(pixels, picture.size))
    factor = min(cut.size) // MIN_SHORT_SIDE
    return pack(cut.reduce(factor) if factor > 1 else cut)


def packed_part_of_stored(image: Image, part: Part) -> bytes:
    """A part of a stored picture. Raises Unavailable where its file cannot be read."""
    with decoding(image.width * image.height):
        return packed_part(read_stored(original_of(image)), part)


def _at_least_one_pixel(pixels: list[int], size: tuple[int, int]) -> tuple[int, int, int, int]:
    left, top, right, bottom = pixels
    left, top = min(left, size[0] - 1), min(top, size[1] - 1)
    return left, top, min(max(right, left + 1), size[0]), min(max(bottom, top + 1), size[1])

"""Pictures that are searched with or classified but not stored, and parts of pictures."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import IO

from django.core.files import File
from PIL import Image as PILImage

from gallery import rate_limits
from gallery.library.originals import as_django_file, sha256_of
from gallery.library.storage import original_of, read_stored
from gallery.library.validation import check_header, damage_told
from gallery.models import Image, Viewer
from gallery.pixels import isolation, jobs, places
from gallery.pixels.header import Header
from gallery.pixels.recipe import ORIGINAL, Recipe
from gallery.pixels.recipe import read as read_recipe

# Size of a picture kept in memory: enough for an encoder to look at a quarter of it.
_KEPT_SHORT_SIDE = 1024
_KEPT_LONG_SIDE = 2560
_KEPT_QUALITY = 92

# Limits of decoding a query picture. A visitor's picture is never decoded in a separate
# process: the places for those are for users with an account.
_MEMBER_BYTES = 512 * 1024**2
_VISITOR_PIXELS = 50_000_000

# A part of a picture as shares of its upright width and height: left, top, width, height.
Part = tuple[float, float, float, float]
WHOLE: Part = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True)
class QueryPicture:
    """`packed` is sent to the encoder; `sha256` is the hash of the file as received and finds
    its exact copies."""

    packed: bytes
    sha256: str


@dataclass(frozen=True)
class SmallPicture:
    """`content` is an upright JPEG of moderate size, without metadata; `sha256` is the hash of
    the file as received."""

    content: bytes
    sha256: str

    @property
    def ratio(self) -> float:
        """Width by height."""
        with PILImage.open(io.BytesIO(self.content)) as picture:
            return picture.width / picture.height


def read_query_picture(file: IO[bytes] | File[bytes], name: str, viewer: Viewer) -> QueryPicture:
    """Check and decode a picture that `viewer` sent. Raises Refusal, TooLarge or
    Unavailable, as an upload does, and TooMany."""
    content = as_django_file(file)
    header = _affordable_header(content, name, viewer)
    with damage_told():
        packed = jobs.packed_for_encoder(content, header)
    return QueryPicture(packed, sha256_of(content))


def read_small_picture(file: IO[bytes] | File[bytes], name: str, viewer: Viewer) -> SmallPicture:
    """Check a picture and make it small enough to be kept in memory. Raises as
    `read_query_picture` does."""
    content = as_django_file(file)
    header = _affordable_header(content, name, viewer)
    with damage_told():
        small = jobs.small_jpeg(content, header, _KEPT_SHORT_SIDE, _KEPT_LONG_SIDE, _KEPT_QUALITY)
    return SmallPicture(small, sha256_of(content))


def read_square(file: IO[bytes] | File[bytes], name: str, viewer: Viewer, side: int) -> bytes:
    """Check a picture and return its middle as a WebP square of at most `side` pixels, without
    metadata. Raises as `read_query_picture` does."""
    content = as_django_file(file)
    header = _affordable_header(content, name, viewer)
    with damage_told():
        return jobs.square_webp(content, header, side)


def square_of_stored(image: Image, side: int) -> bytes:
    """Return the same of a stored picture. Raises Unavailable if its file cannot be read, else as
    `packed_part` does."""
    file = read_stored(original_of(image))
    with damage_told():
        return jobs.square_webp(file, jobs.header_of(file), side, read_recipe(image.recipe))


def packed_part(file: IO[bytes], part: Part = WHOLE, recipe: Recipe = ORIGINAL) -> bytes:
    """Return a part of a picture as it is sent to the encoder. Raises Refusal for a damaged
    file, or Unavailable."""
    with damage_told():
        return jobs.packed_part(file, jobs.header_of(file), part, recipe)


def packed_part_of_stored(image: Image, part: Part) -> bytes:
    """Return a part of a stored picture. Raises Unavailable if its file cannot be read, else as
    `packed_part` does."""
    return packed_part(read_stored(original_of(image)), part, read_recipe(image.recipe))


def _affordable_header(file: IO[bytes], name: str, viewer: Viewer) -> Header:
    """Read and check the header of a picture that is not stored: it may cost less than a stored
    one, and its pixels count for the rate limit. Raises Refusal, TooLarge or TooMany."""
    header = check_header(file, name)
    is_member = viewer.is_authenticated
    if not is_member and header.pixels > _VISITOR_PIXELS:
        raise isolation.too_costly()
    # The scale of `read_small_picture`, which costs more than that of the encoder.
    short, long = sorted((header.width, header.height))
    shrink = max(short / _KEPT_SHORT_SIDE, long / _KEPT_LONG_SIDE)
    most = _MEMBER_BYTES if is_member else places.SMALL_BYTES
    isolation.require_affordable(header.cost(shrink), most)
    rate_limits.charge_pixels(header.pixels)
    return header

"""Query pictures: sent pictures, kept for an hour, and parts of pictures.

A sent picture belongs to the account that sent it. A visitor's picture is available to all visitors
who know its id; ids are random and cannot be guessed. The number of kept pictures is limited, per
account and for all visitors together, so that nobody fills the memory.
"""

from __future__ import annotations

import io
import re
import secrets
from collections.abc import Callable
from typing import Any

from django.core.cache import cache
from django.utils.translation import gettext as _

from gallery import checked_cache, rate_limits, requester
from gallery.encoders import client
from gallery.encoders.base import Vectors
from gallery.errors import Expired
from gallery.library.query_picture import (
    WHOLE,
    SmallPicture,
    packed_part,
    packed_part_of_stored,
)
from gallery.models import EmbeddingSpace, Image, Viewer
from gallery.search import strict_cache
from gallery.search.query.query import Crop

KEPT_SECONDS = 3600
KEPT_PER_ACCOUNT = 40
KEPT_FOR_VISITORS = 400
VECTOR_SECONDS = 24 * 3600

_ID = re.compile("[0-9a-f]{32}")


def keep(picture: SmallPicture, viewer: Viewer) -> str:
    """Keep a picture for an hour and return its id for queries. Raises Unavailable if the cache is
    down."""
    most = KEPT_PER_ACCOUNT if viewer.pk else KEPT_FOR_VISITORS
    picture_id = secrets.token_hex(16)
    strict_cache.put(_key(viewer, picture_id), [picture.content, picture.sha256], KEPT_SECONDS)
    # A ring buffer: each picture replaces the one sent `most` pictures before.
    slot = f"query-picture-place:{viewer.pk or 0}:{_count(viewer) % most}"
    before = cache.get(slot)
    cache.set(slot, picture_id, KEPT_SECONDS)
    if before:
        cache.delete(_key(viewer, before))
    return picture_id


def load(picture_id: str, viewer: Viewer) -> SmallPicture:
    """Return a kept picture. Raises Expired if it is not, or no longer, kept for this viewer, and
    Unavailable if the cache is down."""
    found: SmallPicture | None = None
    if _ID.fullmatch(picture_id):
        found = strict_cache.get(_key(viewer, picture_id), _small_picture)
    if found is None:
        raise Expired(
            "picture_expired", _("This query picture is no longer kept. Choose it again.")
        )
    return found


def vector_of(picture: SmallPicture, crop: Crop | None, space: EmbeddingSpace) -> Vectors:
    """Return the float32 unit vector (d,) of a kept picture or a part of it. Raises Unavailable and
    TooMany."""

    def packed() -> bytes:
        rate_limits.charge("search")
        return packed_part(io.BytesIO(picture.content), part_of(crop))

    return _vector(picture.sha256, crop, space, packed)


def vector_of_part(image: Image, crop: Crop, space: EmbeddingSpace) -> Vectors:
    """Return the float32 unit vector (d,) of a part of a stored picture. The caller has checked
    that the viewer may reach it. Raises Unavailable and TooMany."""

    def packed() -> bytes:
        rate_limits.charge_pixels(image.width * image.height)
        return packed_part_of_stored(image, part_of(crop))

    return _vector(image.sha256 + image.edition, crop, space, packed)


def part_of(crop: Crop | None) -> tuple[float, float, float, float]:
    return WHOLE if crop is None else (crop.left, crop.top, crop.width, crop.height)


def _vector(
    sha256: str, crop: Crop | None, space: EmbeddingSpace, packed: Callable[[], bytes]
) -> Vectors:
    """Return the vector from the cache of the requester, or encode the picture."""
    cache_scope = requester.cache_scope()
    part = "" if crop is None else ",".join(map(str, crop.as_list()))
    key = f"part:{cache_scope}:{space.pk}:{space.checksum[:16]}:{sha256}:{part}"

    def read(data: Any) -> Vectors:
        return checked_cache.unpack_unit_vectors(data, space.dimensions, count=1)[0]

    known = checked_cache.get(key, read) if cache_scope else None
    if known is not None:
        return known
    vector = client.encode_picture(space, packed())
    if cache_scope:
        cache.set(key, checked_cache.pack_vectors(vector), VECTOR_SECONDS)
    return vector


def _count(viewer: Viewer) -> int:
    """Count one more picture of this viewer. Return the new count, 0 if it was lost."""
    key = f"query-pictures:{viewer.pk or 0}"
    cache.add(key, 0, None)
    try:
        return int(cache.incr(key) or 0)
    except ValueError:  # the key was evicted in between
        return 0


def _small_picture(kept: list[Any]) -> SmallPicture:
    content, sha256 = kept
    return SmallPicture(bytes(memoryview(content)), str(sha256))


def _key(viewer: Viewer, picture_id: str) -> str:
    return f"query-picture:{viewer.pk or 0}:{picture_id}"

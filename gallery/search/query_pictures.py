"""Pictures that somebody searches with: sent ones, kept for an hour, and parts of
pictures.

A sent picture belongs to who sent it: to the account, and where nobody is signed in to
whoever knows its id, which cannot be guessed. Of each account, and of all visitors
together, only the last so many are kept, so that nobody fills the memory.
"""

from __future__ import annotations

import io
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.utils.translation import gettext as _

from gallery import remembered
from gallery.encoders import client
from gallery.encoders.base import Vectors
from gallery.errors import Expired
from gallery.library.query_picture import (
    WHOLE,
    SmallPicture,
    packed_part,
    packed_part_of_stored,
)
from gallery.models import EmbeddingSpace, Image
from gallery.search import kept
from gallery.search.query import Crop
from gallery.search.results import Viewer

KEPT_SECONDS = 3600
KEPT_PER_ACCOUNT = 40
KEPT_FOR_VISITORS = 400
VECTOR_SECONDS = 24 * 3600


@dataclass(frozen=True)
class KeptPicture:
    id: str
    picture: SmallPicture

    def as_plain(self) -> list[Any]:
        return [self.id, self.picture.content, self.picture.sha256]

    @classmethod
    def from_plain(cls, kept: list[Any]) -> KeptPicture:
        name, content, sha256 = kept
        return cls(str(name), SmallPicture(bytes(memoryview(content)), str(sha256)))


def keep(picture: SmallPicture, viewer: Viewer) -> str:
    """Keep a picture for an hour. Returns the id that names it in queries. Raises
    Unavailable where the cache is down."""
    most = KEPT_PER_ACCOUNT if viewer.pk else KEPT_FOR_VISITORS
    # A ring: each picture takes the place of the one that came `most` before it.
    slot = _count(viewer) % most
    sent = KeptPicture(f"{slot}-{secrets.token_hex(16)}", picture)
    cache.delete(_slot_key(viewer, slot))
    # A cache that is down says no.
    if not cache.add(_slot_key(viewer, slot), sent.as_plain(), KEPT_SECONDS):
        raise client.broker_down()
    return sent.id


def load(picture_id: str, viewer: Viewer) -> SmallPicture:
    """Raises Expired for a picture that is not, or no longer, kept for this viewer, and
    Unavailable where that cannot be known."""
    slot = picture_id.partition("-")[0]
    found: KeptPicture | None = None
    if slot.isascii() and slot.isdecimal():
        found = kept.get(_slot_key(viewer, int(slot[:4])), KeptPicture.from_plain)
    if found is None or not secrets.compare_digest(found.id.encode(), picture_id.encode()):
        raise Expired(
            "picture_expired", _("This query picture is no longer kept. Choose it again.")
        )
    return found.picture


def vector_of(picture: SmallPicture, crop: Crop | None, space: EmbeddingSpace) -> Vectors:
    """(d,) float32 unit vector of a kept picture or a part of it. Raises Unavailable."""

    def packed() -> bytes:
        return packed_part(io.BytesIO(picture.content), part_of(crop))

    return _vector(picture.sha256, crop, space, packed)


def vector_of_part(image: Image, crop: Crop, space: EmbeddingSpace) -> Vectors:
    """(d,) float32 unit vector of a part of a stored picture; the caller has checked that
    the viewer may reach it. Raises Unavailable."""
    return _vector(image.sha256, crop, space, lambda: packed_part_of_stored(image, part_of(crop)))


def part_of(crop: Crop | None) -> tuple[float, float, float, float]:
    return WHOLE if crop is None else (crop.left, crop.top, crop.width, crop.height)


def _vector(
    sha256: str, crop: Crop | None, space: EmbeddingSpace, packed: Callable[[], bytes]
) -> Vectors:
    """From the cache, or encoded. Bytes say what a picture shows, whoever has them."""
    part = "" if crop is None else ",".join(map(str, crop.as_list()))
    key = f"part:{space.pk}:{space.checksum[:16]}:{sha256}:{part}"
    known = remembered.get(
        key, lambda data: remembered.unit_vectors(data, space.dimensions, count=1)[0]
    )
    if known is not None:
        return known
    vector = client.encode_picture(space, packed())
    cache.set(key, remembered.packed(vector), VECTOR_SECONDS)
    return vector


def _count(viewer: Viewer) -> int:
    """How many pictures this viewer has had kept."""
    key = f"query-pictures:{viewer.pk or 0}"
    cache.add(key, 0, None)
    try:
        return int(cache.incr(key) or 0)
    except ValueError:  # it was forgotten in between
        return 0


def _slot_key(viewer: Viewer, slot: int) -> str:
    return f"query-picture:{viewer.pk or 0}:{slot}"

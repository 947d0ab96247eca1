"""Loading pictures with all that pages and the API show of them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.db.models import Prefetch, prefetch_related_objects

from gallery.indexing.ledger import with_state
from gallery.models import Image, Tag, User
from gallery.models.organising import TagQuerySet

if TYPE_CHECKING:
    from gallery.models.image import ImageQuerySet

# What `with_state` and `with_favourite` annotate, of pictures that are known by their ids.
_NOTES = """
    SELECT image.id,
           coalesce(CASE entry.state WHEN 'encoded' THEN 'ready' ELSE entry.state END, 'pending'),
           coalesce(split_part(entry.error, E'\\n', 1), ''),
           EXISTS (
               SELECT FROM gallery_favourite
               WHERE user_id = %(viewer)s AND image_id = image.id
           )
    FROM unnest(%(ids)s::uuid[]) AS image(id)
    LEFT JOIN gallery_embedding entry ON entry.image_id = image.id AND entry.space_id = (
        SELECT id FROM gallery_embeddingspace
        WHERE state IN ('active', 'building') ORDER BY state, id LIMIT 1
    )
"""


def for_showing(images: ImageQuerySet, viewer: User | AnonymousUser) -> ImageQuerySet:
    """`images` with their owner, their index state, whether `viewer` marked them, and
    the viewer's own tags: whatever a list shows, at the price of two queries.

    Nobody else's tags are loaded: they are private to their owner.
    """
    shown = with_state(images.with_favourite(viewer)).select_related("owner")
    return shown.prefetch_related(Prefetch("tags", _tags_of(viewer)))


def shown_by_id(images: ImageQuerySet, viewer: User | AnonymousUser) -> dict[UUID, Image]:
    """The same for a page that is at hand as a whole, such as hits of a search: putting the
    annotations of `for_showing` together takes Django longer than finding the pictures."""
    by_id = {image.pk: image for image in images.order_by().select_related("owner")}
    if not by_id:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_NOTES, {"ids": list(by_id), "viewer": viewer.pk or 0})
        for pk, state, error, is_favourite in cursor.fetchall():
            image = by_id[pk]
            image.index_state, image.index_error = state, error
            image.is_favourite = is_favourite
    prefetch_related_objects(list(by_id.values()), Prefetch("tags", _tags_of(viewer)))
    return by_id


def _tags_of(viewer: User | AnonymousUser) -> TagQuerySet:
    return Tag.objects.filter(owner_id=viewer.pk or 0)

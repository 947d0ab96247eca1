"""Loads pictures with all fields that pages and the API show."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db import connection

from gallery import keyset, prepared, viewer_cache
from gallery.indexing.states import with_state
from gallery.models import Image, User

if TYPE_CHECKING:
    from gallery.models.image import ImageQuerySet

Viewer = User | AnonymousUser

# Fields that no list shows.
_DEFERRED = (
    *("words", "name_words", "file", "updated_at", "hidden_by"),
    *("palette", "colour_cells", "perceptual_hash"),
)

# The pictures with these ids that the viewer may see, with the annotations of
# `with_display_fields`.
_VISIBLE = """
    SELECT {columns},
           coalesce(
               CASE encoding.state WHEN 'done' THEN 'ready' WHEN 'failed' THEN 'failed' END,
               'pending'
           ) AS index_state,
           coalesce(split_part(encoding.reason, E'\\n', 1), '') AS index_error,
           EXISTS (
               SELECT FROM gallery_favourite
               WHERE gallery_favourite.user_id = %s AND gallery_favourite.image_id = shown.id
           ) AS is_favourite,
           ARRAY(
               SELECT name FROM gallery_tag
               JOIN gallery_tag_images ON gallery_tag_images.tag_id = gallery_tag.id
               WHERE gallery_tag.owner_id = %s AND gallery_tag_images.image_id = shown.id
               ORDER BY lower(name), gallery_tag.id
           ) AS tag_names,
           owner.username AS owner_username,
           owner.display_name AS owner_display_name
    FROM gallery_image shown
    JOIN gallery_user owner ON owner.id = shown.owner_id
    LEFT JOIN gallery_analysis encoding ON encoding.image_id = shown.id AND encoding.analyser = (
        SELECT 'encoding-' || id FROM gallery_embeddingspace
        WHERE state IN ('active', 'building') ORDER BY state, id LIMIT 1
    )
    WHERE shown.id = ANY(%s::uuid[]) AND shown.id IN ({visible})
"""

# The visible pictures after a given one, the latest upload first. PostgreSQL plans this query
# each time: the best plan depends on how many of the latest pictures the viewer may see.
_NEWEST = """
    SELECT pk, created_at FROM ({visible}) AS visible
    WHERE (created_at, pk) < (%s::timestamptz, %s::uuid)
    ORDER BY created_at DESC, pk DESC LIMIT %s
"""
# A position before all pictures in that order.
_FIRST = ("infinity", UUID(int=2**128 - 1))


def with_display_fields(images: ImageQuerySet, viewer: Viewer) -> ImageQuerySet:
    """Add all that a list shows to `images`: their owner, their index state, whether `viewer`
    marked them, and the names of the viewer's own tags (`tag_names`).

    No other tags are loaded: they are private to their owner.
    """
    marked = images.with_favourite(viewer).with_tag_names(viewer)
    return with_state(marked).select_related("owner")


def page(
    images: ImageQuerySet, viewer: Viewer, after: str | None, size: int, order: keyset.Order
) -> tuple[list[Image], str | None]:
    """Return a page of `images` as `keyset.page` does, with the annotations of
    `with_display_fields`. `viewer` must be allowed to see all of `images`. A first query finds
    the order alone; a prepared statement then loads the fields. Django took longer to build
    one query for both than PostgreSQL took to answer it. Raises Refusal (bad_cursor)."""
    fields = {order.field, order.key} & {"pk", *(field.name for field in Image._meta.fields)}
    found, following = keyset.page(images.only("pk", *fields), after, size, order=order)
    return _in_order([image.pk for image in found], viewer), following


def newest(viewer: Viewer, after: str | None, size: int) -> tuple[list[Image], str | None]:
    """Return such a page of all pictures that `viewer` may see, newest first. The statement for
    the order is ready-made, too. Raises Refusal (bad_cursor)."""
    order = keyset.UPLOADED
    place = order.parse(after) if after else _FIRST
    visible, params = _visible(viewer, "created_at")
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST.format(visible=visible), [*params, *place, size + 1])
        found = cursor.fetchall()
    following = order.cursor_of(*reversed(found[size - 1])) if len(found) > size else None
    return _in_order([pk for pk, _created in found[:size]], viewer), following


def _in_order(ids: Sequence[UUID], viewer: Viewer) -> list[Image]:
    shown = visible_by_id(ids, viewer)
    return [shown[pk] for pk in ids if pk in shown]


def visible_by_id(ids: Sequence[UUID], viewer: Viewer) -> dict[UUID, Image]:
    """The pictures with these ids that `viewer` may see, with the annotations of
    `with_display_fields`. For a page whose ids are known, such as hits of a search: Django
    takes longer to build the query of `with_display_fields` than to find the pictures."""
    visible, params = visible_ids(viewer)
    columns = prepared.columns(Image, "shown", _DEFERRED)
    statement = _VISIBLE.format(columns=columns, visible=visible)
    asked = [viewer.pk or 0, viewer.pk or 0, list(ids), *params]
    found: list[Any] = prepared.instances(Image, statement, asked)
    owners: dict[int, User] = {viewer.pk: viewer} if isinstance(viewer, User) else {}
    for image in found:
        if image.owner_id not in owners:
            owners[image.owner_id] = _owner_of(image)
        image.owner = owners[image.owner_id]
    return {image.pk: image for image in found}


def visible_ids(viewer: Viewer) -> tuple[str, tuple[Any, ...]]:
    """The statement for the ids of all pictures that `viewer` may see, and its parameters."""
    return _visible(viewer)


def visible_to(viewer: Viewer) -> ImageQuerySet:
    """All pictures that `viewer` may see, like Image.objects.visible_to."""
    # Each copy runs its own query.
    return _rule(viewer).all()


@lru_cache(maxsize=viewer_cache.MAX_VIEWERS)
def _rule(viewer: Viewer) -> ImageQuerySet:
    """The visibility rule, built once for each viewer and never evaluated. It depends only on
    who the viewer is."""
    return Image.objects.visible_to(viewer)


@lru_cache(maxsize=viewer_cache.MAX_VIEWERS)
def _visible(viewer: Viewer, *fields: str) -> tuple[str, tuple[Any, ...]]:
    """The statement for ids and `fields` of all pictures that `viewer` may see, and its
    parameters."""
    sql, params = _rule(viewer).order_by().values("pk", *fields).query.sql_with_params()
    return sql, tuple(params)


def _owner_of(image: Any) -> User:
    """The owner with the names that are shown; other fields are loaded on access."""
    shown = ["id", "username", "display_name"]
    values = [image.owner_id, image.owner_username, image.owner_display_name]
    return User.from_db(image._state.db, shown, values)

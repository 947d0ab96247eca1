"""Loads pictures with all fields that pages and the API show."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import connection

from gallery import keyset, prepared, viewer_cache
from gallery.indexing.states import with_state
from gallery.models import Image, User, Viewer

if TYPE_CHECKING:
    from gallery.models.image import ImageQuerySet
# SQL and its parameters.
_Statement = tuple[str, tuple[Any, ...]]

# Fields that no list shows.
_WORDS = ("words", "name_words")
_DEFERRED = (
    *_WORDS,
    *("file", "updated_at", "hidden_by"),
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
_COPIES = """
    SELECT id FROM gallery_image
    WHERE sha256 = ANY(%s) AND id <> ALL(%s::uuid[]) AND id IN ({visible})
    ORDER BY created_at DESC, id DESC
"""
_BESIDE = """
    (SELECT 'previous', pk FROM ({visible}) AS visible
     WHERE owner_id = %s AND archived_at IS NULL AND (taken_at, pk) > (%s, %s)
     ORDER BY taken_at, pk LIMIT 1)
    UNION ALL
    (SELECT 'next', pk FROM ({visible}) AS visible
     WHERE owner_id = %s AND archived_at IS NULL AND (taken_at, pk) < (%s, %s)
     ORDER BY taken_at DESC, pk DESC LIMIT 1)
"""
# A position before all pictures in the order of uploads.
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
    return in_order([image.pk for image in found], viewer), following


def newest(viewer: Viewer, after: str | None, size: int) -> tuple[list[Image], str | None]:
    """Return a page of all pictures that `viewer` may see, the latest upload first. The statement
    for the order is precompiled, too. Raises Refusal (bad_cursor)."""
    order = keyset.UPLOADED
    position = order.parse(after) if after else _FIRST
    visible, params = _visible(viewer, "created_at")
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST.format(visible=visible), [*params, *position, size + 1])
        found = cursor.fetchall()
    following = order.cursor_of(*reversed(found[size - 1])) if len(found) > size else None
    return in_order([pk for pk, _created in found[:size]], viewer), following


def in_order(ids: Sequence[UUID], viewer: Viewer) -> list[Image]:
    """Return the pictures of `visible_by_id` as a list, in the order of `ids`."""
    shown = visible_by_id(ids, viewer)
    return [shown[pk] for pk in ids if pk in shown]


def visible_by_id(ids: Sequence[UUID], viewer: Viewer) -> dict[UUID, Image]:
    """Return the pictures with these ids that `viewer` may see, by id, with the annotations of
    `with_display_fields`. It serves pages whose ids are known, such as hits of a search: Django
    takes longer to build the query of `with_display_fields` than to find the pictures."""
    return _by_id(ids, viewer, _visible(viewer), _DEFERRED)


def reachable_by_id(pk: UUID, viewer: Viewer) -> Image | None:
    """Return the picture with all its fields except the search words and with the same
    annotations, or None if `viewer` may not reach it."""
    return _by_id([pk], viewer, reachable_ids(viewer), _WORDS).get(pk)


def exact_copies(sha256s: Sequence[str], without: Sequence[UUID], viewer: Viewer) -> list[Image]:
    """Return the pictures with these bytes that `viewer` may see, the latest upload first, except
    the ids `without`. They have the annotations of `with_display_fields`."""
    visible, params = _visible(viewer)
    with connection.cursor() as cursor:
        asked = [list(sha256s), list(without), *params]
        cursor.execute(_COPIES.format(visible=visible), asked)
        return in_order([pk for (pk,) in cursor.fetchall()], viewer)


def beside(image: Image, viewer: Viewer) -> dict[str, UUID]:
    """Return the neighbours of a picture by "previous" and "next": the pictures of the same owner
    taken just after and just before it that `viewer` may see. Archived ones are left out."""
    visible, params = _visible(viewer, "owner_id", "taken_at", "archived_at")
    asked = [*params, image.owner_id, image.taken_at, image.pk]
    with connection.cursor() as cursor:
        cursor.execute(_BESIDE.format(visible=visible), asked * 2)
        return dict(cursor.fetchall())


def _by_id(
    ids: Sequence[UUID], viewer: Viewer, allowed: _Statement, without: Sequence[str]
) -> dict[UUID, Image]:
    """Return those of `ids` that are `allowed`, by id, with all fields except `without`."""
    sql, params = allowed
    columns = prepared.columns(Image, "shown", without)
    statement = _VISIBLE.format(columns=columns, visible=sql)
    asked = [viewer.pk or 0, viewer.pk or 0, list(ids), *params]
    found: list[Any] = prepared.instances(Image, statement, asked)
    owners: dict[int, User] = {viewer.pk: viewer} if isinstance(viewer, User) else {}
    for image in found:
        if image.owner_id not in owners:
            owners[image.owner_id] = _owner_of(image)
        image.owner = owners[image.owner_id]
    return {image.pk: image for image in found}


def visible_ids(viewer: Viewer) -> _Statement:
    """Return the statement for the ids of all pictures that `viewer` may see, and its
    parameters."""
    return _visible(viewer)


def reachable_ids(viewer: Viewer) -> _Statement:
    """Return the same for the ids of all pictures that `viewer` may reach."""
    return _reachable(viewer, getattr(viewer, "is_moderator", False))


def visible_to(viewer: Viewer) -> ImageQuerySet:
    """Return all pictures that `viewer` may see, like Image.objects.visible_to."""
    # Each copy runs its own query.
    return _rule(viewer).all()


@lru_cache(maxsize=viewer_cache.MAX_VIEWERS)
def _rule(viewer: Viewer) -> ImageQuerySet:
    """Return the visibility rule. It is built once for each viewer and never evaluated. It depends
    only on who the viewer is."""
    return Image.objects.visible_to(viewer)


@lru_cache(maxsize=viewer_cache.MAX_VIEWERS)
def _visible(viewer: Viewer, *fields: str) -> _Statement:
    """Return the statement for ids and `fields` of all pictures that `viewer` may see, and its
    parameters."""
    return _statement(_rule(viewer).order_by().values("pk", *fields))


@lru_cache(maxsize=viewer_cache.MAX_VIEWERS)
def _reachable(viewer: Viewer, _is_moderator: bool) -> _Statement:
    """Return the statement for the ids that `viewer` may reach. It depends only on who the viewer
    is and whether they are a moderator."""
    return _statement(Image.objects.reachable_by(viewer).order_by().values("pk"))


def _statement(rows: Any) -> _Statement:
    sql, params = rows.query.sql_with_params()
    return sql, tuple(params)


def _owner_of(image: Any) -> User:
    """Return the owner with the names that are shown. Other fields are loaded on access."""
    shown = ["id", "username", "display_name"]
    values = [image.owner_id, image.owner_username, image.owner_display_name]
    return User.from_db(image._state.db, shown, values)

"""Loading pictures with all that pages and the API show of them."""

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

# What no list shows of a picture.
_DEFERRED = (
    *("words", "name_words", "file", "updated_at", "hidden_by"),
    *("palette", "colour_cells", "perceptual_hash"),
)

# Of pictures that are known by their ids those that the viewer may see, with what
# `for_showing` annotates.
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

# Their order by upload, the latest first, from one of them on. Planned each time: how many of
# the latest somebody may see decides how they are found.
_NEWEST = """
    SELECT pk, created_at FROM ({visible}) AS visible
    WHERE (created_at, pk) < (%s::timestamptz, %s::uuid)
    ORDER BY created_at DESC, pk DESC LIMIT %s
"""
# Before all others in that order.
_FIRST = ("infinity", UUID(int=2**128 - 1))


def with_display_fields(images: ImageQuerySet, viewer: Viewer) -> ImageQuerySet:
    """`images` with their owner, their index state, whether `viewer` marked them, and
    the names of the viewer's own tags (`tag_names`): whatever a list shows.

    Nobody else's tags are loaded: they are private to their owner.
    """
    marked = images.with_favourite(viewer).with_tag_names(viewer)
    return with_state(marked).select_related("owner")


def page(
    images: ImageQuerySet, viewer: Viewer, after: str | None, size: int, order: keyset.Order
) -> tuple[list[Image], str | None]:
    """A page of `images`, of which `viewer` may see all, as `keyset.page` makes it, and with
    what `for_showing` annotates. The order is found first and alone, and what is shown is
    then loaded by a statement that is at hand: Django took longer to put one together for
    both than PostgreSQL to answer it. Raises Refusal (bad_cursor)."""
    fields = {order.field, order.key} & {"pk", *(field.name for field in Image._meta.fields)}
    found, following = keyset.page(images.only("pk", *fields), after, size, order=order)
    return _in_order([image.pk for image in found], viewer), following


def newest(viewer: Viewer, after: str | None, size: int) -> tuple[list[Image], str | None]:
    """The same page of all that `viewer` may see, newest first: its order is a statement at
    hand, too. Raises Refusal (bad_cursor)."""
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
    """Those of `ids` that `viewer` may see, with the same. For a page that is at hand as a
    whole, such as hits of a search: putting `for_showing` together takes Django longer
    than finding the pictures."""
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
    """The statement for the ids of all that `viewer` may see, and its parameters."""
    return _visible(viewer)


def visible_to(viewer: Viewer) -> ImageQuerySet:
    """All that `viewer` may see, as Image.objects has it."""
    # What it finds is asked anew of each copy.
    return _rule(viewer).all()


@lru_cache(maxsize=viewer_cache.MAX_VIEWERS)
def _rule(viewer: Viewer) -> ImageQuerySet:
    """Put together once for each viewer, and never evaluated. It depends on who that is and
    on nothing else."""
    return Image.objects.visible_to(viewer)


@lru_cache(maxsize=viewer_cache.MAX_VIEWERS)
def _visible(viewer: Viewer, *fields: str) -> tuple[str, tuple[Any, ...]]:
    """The statement for ids and `fields` of the same, and its parameters."""
    sql, params = _rule(viewer).order_by().values("pk", *fields).query.sql_with_params()
    return sql, tuple(params)


def _owner_of(image: Any) -> User:
    """With the names that are shown; whatever else is asked of it is loaded then."""
    shown = ["id", "username", "display_name"]
    values = [image.owner_id, image.owner_username, image.owner_display_name]
    return User.from_db(image._state.db, shown, values)

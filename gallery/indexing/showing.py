"""Loading pictures with all that pages and the API show of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import Prefetch, prefetch_related_objects

from gallery.indexing.ledger import with_state
from gallery.models import Image, Tag, User
from gallery.models.organising import TagQuerySet

if TYPE_CHECKING:
    from gallery.models.image import ImageQuerySet

Viewer = User | AnonymousUser

# Of pictures that are known by their ids those that the viewer may see, with what
# `with_state` and `with_favourite` annotate.
_VISIBLE = """
    SELECT {columns},
           coalesce(CASE entry.state WHEN 'encoded' THEN 'ready' ELSE entry.state END, 'pending')
               AS index_state,
           coalesce(split_part(entry.error, E'\\n', 1), '') AS index_error,
           EXISTS (
               SELECT FROM gallery_favourite
               WHERE gallery_favourite.user_id = %s AND gallery_favourite.image_id = shown.id
           ) AS is_favourite
    FROM gallery_image shown
    LEFT JOIN gallery_embedding entry ON entry.image_id = shown.id AND entry.space_id = (
        SELECT id FROM gallery_embeddingspace
        WHERE state IN ('active', 'building') ORDER BY state, id LIMIT 1
    )
    WHERE shown.id = ANY(%s::uuid[]) AND shown.id IN ({visible})
"""


def for_showing(images: ImageQuerySet, viewer: Viewer) -> ImageQuerySet:
    """`images` with their owner, their index state, whether `viewer` marked them, and
    the viewer's own tags: whatever a list shows, at the price of two queries.

    Nobody else's tags are loaded: they are private to their owner.
    """
    shown = with_state(images.with_favourite(viewer)).select_related("owner")
    return shown.prefetch_related(Prefetch("tags", _tags_of(viewer)))


def visible_by_id(ids: Sequence[UUID], viewer: Viewer) -> dict[UUID, Image]:
    """Those of `ids` that `viewer` may see, with the same. For a page that is at hand as a
    whole, such as hits of a search: putting `for_showing` together takes Django longer
    than finding the pictures."""
    visible, params = visible_ids(viewer)
    statement = _VISIBLE.format(columns=_columns(), visible=visible)
    wanted = "{" + ",".join(map(str, ids)) + "}"
    found = list(Image.objects.raw(statement, [viewer.pk or 0, wanted, *params]))
    if not found:
        return {}
    owners = _owners(found, viewer)
    # Whoever left since then took the pictures along.
    found = [image for image in found if image.owner_id in owners]
    for image in found:
        image.owner = owners[image.owner_id]
    prefetch_related_objects(found, Prefetch("tags", _tags_of(viewer)))
    return {image.pk: image for image in found}


@lru_cache(maxsize=1024)
def visible_ids(viewer: Viewer) -> tuple[str, tuple[Any, ...]]:
    """The statement for the ids of all that `viewer` may see, and its parameters. The
    rule depends on who that is and on nothing else."""
    ids = Image.objects.visible_to(viewer).order_by().values("pk")
    sql, params = ids.query.sql_with_params()
    return sql, tuple(params)


@cache
def _columns() -> str:
    """All that Django loads of a picture."""
    deferred = {"words", "name_words"}
    fields = [field for field in Image._meta.concrete_fields if field.name not in deferred]
    return ", ".join(f'shown."{field.column}"' for field in fields)


def _owners(images: Iterable[Image], viewer: Viewer) -> dict[int, User]:
    """By id. The viewer is known already, and in most galleries owns what is found."""
    known = {viewer.pk: viewer} if isinstance(viewer, User) else {}
    others = {image.owner_id for image in images} - known.keys()
    return known | User.objects.in_bulk(others) if others else known


def _tags_of(viewer: Viewer) -> TagQuerySet:
    return Tag.objects.filter(owner_id=viewer.pk or 0)

"""Tags of an owner's own pictures: give, take, rename, merge, remove."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Count, Exists, Model, OuterRef, Subquery
from django.db.models.functions import Coalesce, Lower
from django.utils.translation import gettext as _

from gallery import spelling
from gallery.errors import Refusal
from gallery.library import caps, undo_log
from gallery.library.user_lock import lock_user
from gallery.models import Change, Image, Tag, User
from gallery.models.words import called

if TYPE_CHECKING:
    from django.db.models import QuerySet

MAX_NAME = 50
MAX_NAMES = 50

# link id, tag id, image id
Link = tuple[int, UUID, UUID]


def in_use(owner: User) -> QuerySet[Tag]:
    """Return the owner's tags that pictures outside the trash carry, with `count`, the number of
    these pictures, and `name_key` for `keyset.BY_NAME`."""
    tags = Tag.objects.filter(Exists(_kept(owner.pk)), owner=owner)
    return tags.annotate(count=_count(owner.pk), name_key=Lower("name"))


def counted(tag: Tag) -> Tag:
    """Return the tag with its `count`, which may be 0."""
    return Tag.objects.annotate(count=_count(tag.owner_id)).get(pk=tag.pk)


def _kept(owner_id: int) -> QuerySet[Model]:
    """Return the links of a tag of this owner, except those to pictures in the trash: these are
    few, and are looked up once instead of for each link."""
    trash = Image.objects.filter(owner_id=owner_id, deleted_at__isnull=False)
    links = Tag.images.through.objects.filter(tag=OuterRef("pk"))
    return links.exclude(image__in=trash.order_by().values("pk"))


def _count(owner_id: int) -> Coalesce:
    rows = _kept(owner_id).order_by().values("tag").annotate(n=Count("pk"))
    return Coalesce(Subquery(rows.values("n")), 0)


def tags_of(owner: User) -> list[Tag]:
    """Return the tags in use, by name."""
    return list(in_use(owner).order_by(Lower("name"), "pk"))


def names_of(owner: User) -> list[str]:
    """Return the names of the tags in use. Faster than `tags_of`, since nothing is counted."""
    tags = Tag.objects.filter(Exists(_kept(owner.pk)), owner=owner)
    return list(tags.order_by(Lower("name"), "pk").values_list("name", flat=True))


def clean_names(names: Iterable[str]) -> list[str]:
    """Clean names, without repetitions or empty ones. Raises Refusal (tag_too_long,
    too_many_tags)."""
    cleaned = {spelling.key_of(clean): clean for name in names if (clean := clean_name(name))}
    if len(cleaned) > MAX_NAMES:
        raise Refusal(
            "too_many_tags", _("Give at most %(most)d tags at once.") % {"most": MAX_NAMES}, "tags"
        )
    return list(cleaned.values())


def clean_name(name: str) -> str:
    """Return one line without spaces around it, perhaps empty. Raises Refusal (tag_too_long)."""
    name = spelling.clean_line(name)
    if len(name) > MAX_NAME:
        raise Refusal(
            "tag_too_long", _("A tag has at most %(most)d characters.") % {"most": MAX_NAME}, "tags"
        )
    return name


# --- On many pictures -------------------------------------------------------------


def named(owner: User, names: Sequence[str]) -> list[UUID]:
    """Return the owner's tags of these names. Makes missing ones, and locks all against removal
    until the transaction ends. Raises Refusal (too_many_tags)."""
    lock_user(owner)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO gallery_tag (id, owner_id, name, created_at)"
            " SELECT tag.id, %s, tag.name, now()"
            " FROM unnest(%s::uuid[], %s::text[]) AS tag (id, name)"
            " ORDER BY gallery_key(tag.name)"
            " ON CONFLICT (owner_id, gallery_key(name)) DO NOTHING",
            [owner.pk, [uuid.uuid4() for _name in names], list(names)],
        )
    _make_room(owner, names)
    return known(owner, names)


def _make_room(owner: User, names: Sequence[str]) -> None:
    """Delete tags that no picture carries, which nobody sees, before new ones are refused. Raises
    Refusal (too_many_tags)."""
    try:
        caps.refuse_beyond(caps.TAGS, owner)
    except Refusal:
        unused = Tag.objects.filter(owner=owner, images=None).exclude(pk__in=known(owner, names))
        unused.delete()
        caps.refuse_beyond(caps.TAGS, owner)


def known(owner: User, names: Sequence[str]) -> list[UUID]:
    """Return the owner's existing tags among these names, locked as by `named`."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM gallery_tag WHERE owner_id = %s"
            " AND gallery_key(name) IN"
            "  (SELECT gallery_key(wanted) FROM unnest(%s::text[]) AS wanted)"
            " ORDER BY id FOR KEY SHARE",
            [owner.pk, list(names)],
        )
        return [row[0] for row in cursor.fetchall()]


def link(tag_ids: Sequence[UUID], image_ids: Sequence[UUID]) -> list[tuple[int, UUID]]:
    """Give each tag to each picture. Returns the new links as (link id, image id)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH kept AS (SELECT id FROM gallery_image WHERE id = ANY(%s)"
            "  ORDER BY id FOR KEY SHARE)"
            " INSERT INTO gallery_tag_images (tag_id, image_id)"
            " SELECT tag, kept.id FROM kept, unnest(%s::uuid[]) AS tag ORDER BY kept.id, tag"
            " ON CONFLICT (tag_id, image_id) DO NOTHING RETURNING id, image_id",
            [list(image_ids), list(tag_ids)],
        )
        return cursor.fetchall()


def unlink(tag_ids: Sequence[UUID], image_ids: Sequence[UUID]) -> list[Link]:
    """Take each tag from each picture. Returns the removed links."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM gallery_tag_images WHERE tag_id = ANY(%s) AND image_id = ANY(%s)"
            " RETURNING id, tag_id, image_id",
            [list(tag_ids), list(image_ids)],
        )
        return cursor.fetchall()


def remove_links(owner: User, links: Sequence[int]) -> int:
    """Remove the links that `link` returned. Returns how many pictures lost a tag."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH gone AS (DELETE FROM gallery_tag_images link USING gallery_tag tag"
            "  WHERE link.id = ANY(%s) AND tag.id = link.tag_id AND tag.owner_id = %s"
            "  RETURNING link.image_id) SELECT count(DISTINCT image_id) FROM gone",
            [list(links), owner.pk],
        )
        return int(cursor.fetchone()[0])


def link_again(owner: User, links: Sequence[tuple[int, str, str]]) -> int:
    """Restore the links that `unlink` returned, if tag and picture still exist. Returns how many
    pictures have a tag again."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH kept AS (SELECT former.id, tag.id AS tag_id, image.id AS image_id"
            "  FROM unnest(%s::bigint[], %s::uuid[], %s::uuid[])"
            "   AS former (id, tag_id, image_id)"
            "  JOIN gallery_tag tag ON tag.id = former.tag_id AND tag.owner_id = %s"
            "  JOIN gallery_image image ON image.id = former.image_id"
            "  ORDER BY image.id, tag.id FOR KEY SHARE OF tag, image),"
            " back AS (INSERT INTO gallery_tag_images (id, tag_id, image_id)"
            "  SELECT id, tag_id, image_id FROM kept"
            "  ON CONFLICT (tag_id, image_id) DO NOTHING RETURNING image_id)"
            " SELECT count(DISTINCT image_id) FROM back",
            [*([link[field] for link in links] for field in range(3)), owner.pk],
        )
        return int(cursor.fetchone()[0])


# --- One picture, one tag ---------------------------------------------------------


@transaction.atomic
def set_tags(image: Image, names: Iterable[str]) -> None:
    """Give a picture exactly these tags of its owner. Raises Refusal."""
    wanted = clean_names(names)
    # Concurrent changes of one picture's tags run one after the other. The user's lock comes
    # first, as in all acts.
    lock_user(image.owner)
    Image.objects.select_for_update(no_key=True).get(pk=image.pk)
    tag_ids = named(image.owner, wanted) if wanted else []
    others = Tag.objects.filter(images=image).exclude(pk__in=tag_ids)
    unlink(list(others.values_list("pk", flat=True)), [image.pk])
    link(tag_ids, [image.pk])


@transaction.atomic
def rename(tag: Tag, name: str) -> Tag:
    """Give a tag another name, or merge it into the tag that has this name.

    Returns the tag that carries the name afterwards. Raises Refusal.
    """
    name = clean_name(name)
    if not name:
        raise Refusal("tag_missing", _("Give the tag a name."), "name")
    others = Tag.objects.filter(owner=tag.owner_id).exclude(pk=tag.pk)
    other = called(others, "name", name).select_for_update().first()
    if other is None:
        tag.name = name
        tag.save(update_fields=["name"])
        return tag
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO gallery_tag_images (tag_id, image_id)"
            " SELECT %s, image_id FROM gallery_tag_images WHERE tag_id = %s ORDER BY image_id"
            " ON CONFLICT (tag_id, image_id) DO NOTHING",
            [other.pk, tag.pk],
        )
    tag.delete()
    return other


@transaction.atomic
def delete(tag: Tag, user: User) -> Change:
    """Delete a tag of `user`. Returns what undoes it."""
    links = Tag.images.through.objects.filter(tag=tag).values_list("pk", "image_id")
    kept = [[pk, str(image_id)] for pk, image_id in links]
    before = {"id": str(tag.pk), "name": tag.name, "links": kept}
    tag.delete()
    return undo_log.record(user, "delete_tag", before)

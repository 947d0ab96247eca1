"""Merges near-duplicates: the kept picture gets albums, tags and other notes of the others, which
go to the trash.

All groups are merged at once, with one statement for each kind of note and one Change that undoes
everything (gallery.organising.undoing). The others lose nothing: a picture that is restored from
the trash is as it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from gallery.errors import Expired, Refusal
from gallery.library.user_lock import lock_user
from gallery.models import Album, AlbumItem, Change, Image, User
from gallery.organising import album_rows, changes, timestamps

MAX_GROUP = 200

# Fields that the kept picture takes from the others if its own are empty. Fields that belong
# together (two for a position, three for a time) come from one picture; the first of them
# decides whether they are empty.
FILLED = (
    ("title",),
    ("description",),
    ("captured_at", "ahead_of_utc", "is_offset_known"),
    ("camera",),
    ("latitude", "longitude"),
    ("rating",),
)
FILLED_FIELDS = tuple(chain.from_iterable(FILLED))

# (other, kept), pairwise
Pairs = list[tuple[UUID, UUID]]


@dataclass(frozen=True)
class Merged:
    """`trashed` pictures went to the trash; `undo` is None if there were none."""

    trashed: int
    undo: Change | None


def merge(user: User, kept: UUID, others: Sequence[UUID]) -> Merged:
    """Merge several of the user's pictures into the one to keep.

    Others that are in the trash already are skipped, so that a repeated request changes nothing.
    Raises Refusal (bad_merge), Expired (kept_in_trash) if the picture to keep was deleted
    meanwhile, and Image.DoesNotExist for pictures of other users.
    """
    if kept in others:
        raise Refusal("bad_merge", _("A picture cannot be merged with itself."), "others")
    if not 1 <= len(others) <= MAX_GROUP:
        raise Refusal(
            "bad_merge",
            _("Name from 1 to %(most)d pictures to merge.") % {"most": MAX_GROUP},
            "others",
        )
    with transaction.atomic():
        lock_user(user)
        wanted = {kept, *others}
        pictures = _held(user, wanted)
        if len(pictures) < len(wanted):
            raise Image.DoesNotExist
        if pictures[kept].deleted_at is not None:
            raise Expired(
                "kept_in_trash",
                _("The picture to keep is in the trash: it was deleted or merged meanwhile."),
                "keep",
            )
        return _merge_held(user, {kept: others}, pictures)


def merge_all(user: User, groups: Mapping[UUID, Sequence[UUID]]) -> Merged:
    """Merge many groups as `merge` does: {kept: others}, without a picture in two of them. Groups
    whose kept picture is no longer there are skipped."""
    with transaction.atomic():
        lock_user(user)
        pictures = _held(user, {*groups, *chain.from_iterable(groups.values())})
        whole = {
            kept: [pk for pk in others if pk in pictures]
            for kept, others in groups.items()
            if kept in pictures and pictures[kept].deleted_at is None
        }
        return _merge_held(user, whole, pictures)


def _held(user: User, ids: set[UUID]) -> dict[UUID, Image]:
    """Return the user's pictures among these, with those in the trash, locked until the
    transaction ends."""
    own = Image.objects.filter(pk__in=ids, owner_id=user.pk).order_by("pk")
    shown = own.only("pk", "deleted_at", *FILLED_FIELDS)
    return {image.pk: image for image in shown.select_for_update(no_key=True)}


def _merge_held(
    user: User, groups: Mapping[UUID, Sequence[UUID]], pictures: Mapping[UUID, Image]
) -> Merged:
    pairs = [
        (other, kept)
        for kept, others in groups.items()
        for other in dict.fromkeys(others)
        if pictures[other].deleted_at is None
    ]
    if not pairs:
        return Merged(0, None)
    albums = _lock_albums(user, pairs)
    before: dict[str, Any] = {
        "entries": _share_places(pairs, albums),
        "covers": _share_covers(user, pairs, albums),
        "links": _share_tags(user, pairs),
        "marks": _share_favourites(user, pairs),
        "fields": _fill_gaps(pairs, pictures),
    }
    for album in albums:
        album_rows.touch(album, [kept for _other, kept in pairs])
    moment, trashed = timestamps.stamp("deleted_at", [other for other, _kept in pairs])
    before["trash"] = {"moment": moment.isoformat(), "ids": [str(pk) for pk in trashed]}
    return Merged(len(trashed), changes.record(user, "merge_duplicates", before))


def _lock_albums(user: User, pairs: Pairs) -> list[UUID]:
    """Lock the albums that contain one of the others and to which the user may still add pictures
    (with those in the user's trash), always in the same order. Returns their ids."""
    allowed = Album.objects.open_to(user) | Album.objects.filter(owner_id=user.pk)
    entries = AlbumItem.objects.filter(image_id__in=[other for other, _kept in pairs])
    found = allowed.filter(pk__in=entries.values("album_id")).order_by("pk").distinct()
    albums = list(found.only("pk"))
    for album in albums:
        album_rows.lock(album)
    return [album.pk for album in albums]


def _share_places(pairs: Pairs, albums: list[UUID]) -> list[int]:
    """Put the kept pictures at the positions of the others in albums, unless they are there
    already. Returns the new entries."""
    return _added(
        "INSERT INTO gallery_albumitem (album_id, image_id, position, added_at)"
        " SELECT item.album_id, pair.kept, min(item.position), now()"
        " FROM {pairs} JOIN gallery_albumitem item ON item.image_id = pair.other"
        " WHERE item.album_id = ANY(%s) GROUP BY item.album_id, pair.kept"
        " ON CONFLICT (album_id, image_id) DO NOTHING RETURNING id",
        pairs,
        albums,
    )


def _share_covers(user: User, pairs: Pairs, albums: list[UUID]) -> list[list[str]]:
    """Replace covers of albums that the user manages. Returns (album, former cover, new cover)."""
    managed = Album.objects.managed_by(user) | Album.objects.filter(owner_id=user.pk)
    kept_for: dict[UUID | None, UUID] = dict(pairs)
    replaced = []
    for album in managed.filter(pk__in=albums, cover__in=list(kept_for)).distinct():
        former = album.cover_id
        album.cover_id = kept_for[former]
        album.save(update_fields=["cover", "updated_at"])
        replaced.append([str(album.pk), str(former), str(album.cover_id)])
    return replaced


def _share_tags(user: User, pairs: Pairs) -> list[int]:
    """Give the kept pictures the tags of the others. Locks the tags, so that they are not removed
    meanwhile. Returns the new links."""
    return _added(
        "WITH kept_tags AS (SELECT id FROM gallery_tag WHERE owner_id = %s AND id IN"
        "  (SELECT tag_id FROM gallery_tag_images WHERE image_id = ANY(%s))"
        "  ORDER BY id FOR KEY SHARE)"
        " INSERT INTO gallery_tag_images (tag_id, image_id)"
        " SELECT DISTINCT link.tag_id, pair.kept"
        " FROM {pairs} JOIN gallery_tag_images link ON link.image_id = pair.other"
        " JOIN kept_tags ON kept_tags.id = link.tag_id"
        " ON CONFLICT (tag_id, image_id) DO NOTHING RETURNING id",
        pairs,
        user.pk,
        [other for other, _kept in pairs],
        pairs_last=True,
    )


def _share_favourites(user: User, pairs: Pairs) -> list[int]:
    """Make the kept pictures favourites of this user if one of the others is. Returns the new
    marks."""
    return _added(
        "INSERT INTO gallery_favourite (user_id, image_id, created_at)"
        " SELECT mark.user_id, pair.kept, min(mark.created_at)"
        " FROM {pairs} JOIN gallery_favourite mark ON mark.image_id = pair.other"
        " WHERE mark.user_id = %s GROUP BY mark.user_id, pair.kept"
        " ON CONFLICT (user_id, image_id) DO NOTHING RETURNING id",
        pairs,
        user.pk,
    )


def _added(statement: str, pairs: Pairs, *values: Any, pairs_last: bool = False) -> list[int]:
    """Run an INSERT that reads `{pairs}`, and return the ids of what is new."""
    table = "unnest(%s::uuid[], %s::uuid[]) AS pair (other, kept)"
    columns = [[other for other, _kept in pairs], [kept for _other, kept in pairs]]
    with connection.cursor() as cursor:
        cursor.execute(
            statement.format(pairs=table),
            [*values, *columns] if pairs_last else [*columns, *values],
        )
        return [row[0] for row in cursor.fetchall()]


def _fill_gaps(pairs: Pairs, pictures: Mapping[UUID, Image]) -> dict[str, dict[str, Any]]:
    """Fill empty fields of the kept pictures from the first other that has a value. Returns the
    new values by picture and field."""
    filled: dict[str, dict[str, Any]] = {}
    touched: dict[UUID, Image] = {}
    for other, kept in pairs:
        image, source = pictures[kept], pictures[other]
        for fields in FILLED:
            if _has(image, fields[0]) or not _has(source, fields[0]):
                continue
            for field in fields:
                value = getattr(source, field)
                setattr(image, field, value)
                filled.setdefault(str(kept), {})[field] = (
                    value.isoformat() if isinstance(value, datetime) else value
                )
            image.updated_at = timezone.now()
            touched[kept] = image
    Image.objects.bulk_update(touched.values(), [*FILLED_FIELDS, "updated_at"])
    return filled


def _has(image: Image, field: str) -> bool:
    empty = 0 if field == "rating" else None
    return getattr(image, field) not in (empty, "")

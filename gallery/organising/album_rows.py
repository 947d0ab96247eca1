"""Changes many entries of albums at once, in one statement whatever their number.

A caller that changes the entries of an album holds its lock, so that no two acts compute the
same places.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from gallery.errors import Expired, Refusal
from gallery.library import caps
from gallery.models import Album, AlbumItem, Image

# Positions are floats, and new ones fit between two others. Below this gap, the entries that
# follow are moved up.
_SMALLEST_GAP = 1e-6

# entry id, image id, position, time of adding
Entry = tuple[int, UUID, float, datetime]
# image id, position before, position now
Move = tuple[UUID, float, float]


def lock(album: Album) -> None:
    """Take the lock for changing an album's entries and hold it until the transaction ends.
    Raises Expired (album_gone)."""
    if not Album.objects.select_for_update(no_key=True).filter(pk=album.pk).exists():
        raise Expired("album_gone", _("This album has been deleted for good."))


def touch(album_id: UUID, image_ids: Collection[UUID]) -> None:
    """Set the time of change of an album after a change of these pictures. Everybody with access
    sees that time, so it stays the same if only the owners see the pictures."""
    shown = Image.objects.filter(pk__in=image_ids, hidden_at__isnull=True, deleted_at__isnull=True)
    if image_ids and shown.exists():
        Album.objects.filter(pk=album_id).update(updated_at=timezone.now())


def append(album: Album, image_ids: Sequence[UUID]) -> list[int]:
    """Append pictures to an album, in the order in which they were taken. Returns the new
    entries. Raises Refusal (too_many_pictures)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH kept AS"  # a picture cannot be purged before its entry is committed
            "  (SELECT id, taken_at FROM gallery_image image WHERE id = ANY(%(images)s)"
            "   AND NOT EXISTS (SELECT FROM gallery_albumitem item"
            "    WHERE item.album_id = %(album)s AND item.image_id = image.id)"
            "   ORDER BY id FOR KEY SHARE),"
            " last AS"
            "  (SELECT coalesce(max(position), 0) AS place FROM gallery_albumitem"
            "   WHERE album_id = %(album)s)"
            " INSERT INTO gallery_albumitem (album_id, image_id, position, added_at)"
            " SELECT %(album)s, kept.id,"
            "  last.place + row_number() OVER (ORDER BY kept.taken_at, kept.id), now()"
            " FROM kept, last ON CONFLICT (album_id, image_id) DO NOTHING RETURNING id, image_id",
            {"album": album.pk, "images": list(image_ids)},
        )
        added = cursor.fetchall()
    caps.refuse_beyond(caps.PICTURES_OF_ALBUM, album)
    touch(album.pk, [image_id for _entry, image_id in added])
    return [entry for entry, _image_id in added]


def remove(album: Album, image_ids: Sequence[UUID]) -> list[Entry]:
    """Remove pictures from an album. Returns the removed entries."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM gallery_albumitem WHERE album_id = %s AND image_id = ANY(%s)"
            " RETURNING id, image_id, position, added_at",
            [album.pk, list(image_ids)],
        )
        removed = cursor.fetchall()
    touch(album.pk, [entry[1] for entry in removed])
    return removed


def put_back(album: Album, entries: Sequence[Entry]) -> int:
    """Restore the entries that `remove` returned, except those of pictures that are in the album
    again or are gone. Returns how many."""
    if not entries:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO gallery_albumitem (id, album_id, image_id, position, added_at)"
            " SELECT entry.id, %s, entry.image_id, entry.position, entry.added_at"
            " FROM unnest(%s::bigint[], %s::uuid[], %s::float8[], %s::timestamptz[])"
            "  AS entry (id, image_id, position, added_at)"
            " JOIN gallery_image image ON image.id = entry.image_id FOR KEY SHARE OF image"
            " ON CONFLICT (album_id, image_id) DO NOTHING RETURNING image_id",
            [album.pk, *map(list, zip(*entries, strict=True))],
        )
        back = [image_id for (image_id,) in cursor.fetchall()]
    touch(album.pk, back)
    return len(back)


def place(album: Album, image_ids: Sequence[UUID], before: UUID | None) -> list[Move]:
    """Move pictures of the album, in this order, before the picture `before` (None: to the
    end). Returns what moved.

    Raises Refusal if `before` is not another picture of the album.
    """
    others = AlbumItem.objects.filter(album=album).exclude(image__in=image_ids)
    first, step = _room(album, others, len(image_ids), before)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE gallery_albumitem item SET position = %s + %s * wanted.number"
            " FROM unnest(%s::uuid[]) WITH ORDINALITY AS wanted (id, number),"
            "  gallery_albumitem old"
            " WHERE item.album_id = %s AND item.image_id = wanted.id AND old.id = item.id"
            " RETURNING item.image_id, old.position, item.position",
            [first, step, list(image_ids), album.pk],
        )
        moved = cursor.fetchall()
    touch(album.pk, [move[0] for move in moved])
    return moved


def place_back(album: Album, moves: Sequence[Move]) -> int:
    """Undo the moves that `place` returned, except for pictures that have moved again since.
    Returns how many."""
    if not moves:
        return 0
    images, before, now = zip(*moves, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE gallery_albumitem item SET position = moved.before"
            " FROM unnest(%s::uuid[], %s::float8[], %s::float8[]) AS moved (id, before, now)"
            " WHERE item.album_id = %s AND item.image_id = moved.id AND item.position = moved.now"
            " RETURNING item.image_id",
            [list(images), list(before), list(now), album.pk],
        )
        back = [image_id for (image_id,) in cursor.fetchall()]
    touch(album.pk, back)
    return len(back)


def _room(
    album: Album, others: QuerySet[AlbumItem], count: int, before: UUID | None
) -> tuple[float, float]:
    """Return `first` and `step`: first + step * (1 … count) are free positions."""
    if before is None:
        last = others.order_by("-position").values_list("position", flat=True).first()
        return last or 0.0, 1.0
    end = others.filter(image=before).values_list("position", flat=True).first()
    if end is None:
        raise Refusal(
            "bad_before", _("“before” is another picture of the album, or null."), "before"
        )
    below = others.filter(position__lt=end).order_by("-position")
    start = below.values_list("position", flat=True).first()
    if start is None:
        return end - count - 1, 1.0
    step = (end - start) / (count + 1)
    if step < _SMALLEST_GAP:
        # Upwards only: a viewer who scrolls meanwhile may see a picture twice, but misses none.
        following = AlbumItem.objects.filter(album=album, position__gte=end)
        following.update(position=F("position") + count + 1)
        step = (end - start + count + 1) / (count + 1)
    return start, step

"""Undoes acts on many pictures: everything that is still as the act left it gets its former state;
everything that has changed since stays.

The functions get the former state that was stored with the act. They only change pictures that
still exist and that the user may still change.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from gallery import trail
from gallery.labels import answers, applying, sets
from gallery.library import caps
from gallery.library.clocks import time_fields
from gallery.models import Album, AlbumItem, Image, NearDuplicate, Tag, User
from gallery.organising import (
    album_rows,
    albums,
    details_of_many,
    favourites,
    looks,
    saved_searches,
    smart_albums,
    tags,
    timestamps,
)
from gallery.trail import Event
from gallery.work import ledger

if TYPE_CHECKING:
    from gallery.models.image import ImageQuerySet

Before = dict[str, Any]

# The values of empty fields; None for the others.
_EMPTY: dict[str, str | int] = {"title": "", "description": "", "camera": "", "rating": 0}
_OF_A_TIME = {"captured_at", "ahead_of_utc", "is_offset_known"}


def _visibility(before: Before, user: User) -> int:
    restored = 0
    for former, image_ids in before["from"].items():
        untouched = Image.objects.filter(
            pk__in=image_ids, owner_id=user.pk, visibility=before["to"]
        )
        restored += untouched.update(visibility=former, updated_at=timezone.now())
    return restored


def _archive(before: Before, user: User) -> int:
    moment = datetime.fromisoformat(before["moment"])
    return len(timestamps.unstamp_only("archived_at", before["ids"], user.pk, moment))


def _unarchive(before: Before, user: User) -> int:
    return len(timestamps.stamp_again("archived_at", before["former"], user.pk))


def _trash(before: Before, user: User) -> int:
    moment = datetime.fromisoformat(before["moment"])
    back = timestamps.unstamp_only("deleted_at", before["ids"], user.pk, moment)
    ledger.enqueue(back)
    return len(back)


def _restore(before: Before, user: User) -> int:
    return len(timestamps.stamp_again("deleted_at", before["former"], user.pk))


def _favourite(before: Before, user: User) -> int:
    return favourites.remove_marks(user, before["marks"])


def _unfavourite(before: Before, user: User) -> int:
    seen = Image.objects.visible_to(user) | Image.objects.filter(owner_id=user.pk)
    found = seen.filter(pk__in=[pk for _id, pk, _when in before["marks"]]).order_by()
    allowed = {str(pk) for pk in found.values_list("pk", flat=True)}
    return favourites.mark_again(user, [mark for mark in before["marks"] if mark[1] in allowed])


def _add_tags(before: Before, user: User) -> int:
    return tags.remove_links(user, before["links"])


def _remove_tags(before: Before, user: User) -> int:
    return tags.link_again(user, before["links"])


def _delete_tag(before: Before, user: User) -> int:
    """Restore the tag, or give its pictures the tag that has its name now."""
    caps.hold_room(caps.TAGS, user)
    Tag.objects.bulk_create(
        [Tag(pk=before["id"], owner=user, name=before["name"])], ignore_conflicts=True
    )
    (tag_id,) = tags.known(user, [before["name"]])
    return tags.link_again(user, [(pk, str(tag_id), image) for pk, image in before["links"]])


def _add_to_album(before: Before, user: User) -> int:
    """Delete entries by their ids: a picture that was taken out and added again stays."""
    mine = Q(image__owner_id=user.pk)
    entries = AlbumItem.objects.filter(mine, album=before["album"], pk__in=before["entries"])
    return entries.delete()[0]


def _remove_from_album(before: Before, user: User) -> int:
    album = Album.objects.visible_to(user).filter(pk=before["album"]).first()
    if album is None:
        return 0
    former = {UUID(entry[1]): entry for entry in before["entries"]}
    album_rows.lock(album)
    allowed = _may_show_again(album, list(former), user)
    return album_rows.put_back(album, [former[pk] for pk in allowed])


def _may_show_again(album: Album, image_ids: list[UUID], user: User) -> list[UUID]:
    """Return pictures whose owners may still add them to the album: those of `user` and, if `user`
    manages the album, those of others."""
    images = Image.objects.filter(pk__in=image_ids)
    if not albums.may_manage(album, user):
        images = images.filter(owner_id=user.pk)
    owners = User.objects.filter(pk__in=images.order_by().values("owner_id"), is_active=True)
    able = [owner for owner in owners if albums.may_add(album, owner)]
    return list(images.filter(owner__in=able).values_list("pk", flat=True))


def _move(before: Before, user: User) -> int:
    album = Album.objects.managed_by(user).filter(pk=before["album"]).first()
    if album is None:
        return 0
    album_rows.lock(album)
    return album_rows.place_back(album, before["moves"])


def _delete_search(before: Before, user: User) -> int:
    smart_albums.ask_for_filling(saved_searches.restore(before, user))
    return 1


def _stop_filling(before: Before, user: User) -> int:
    return int(smart_albums.start_again(before, user))


def _merge_duplicates(before: Before, user: User) -> int:
    """Restore the others, and take from the kept pictures what they had got from them."""
    entries = AlbumItem.objects.filter(pk__in=before["entries"], image__owner_id=user.pk)
    entries.delete()
    for album, former, now in before["covers"]:
        still = Album.objects.managed_by(user) | Album.objects.filter(owner_id=user.pk)
        if former_cover := Image.objects.filter(pk=former, owner_id=user.pk).first():
            covered = still.filter(pk=album, cover=now).values("pk")
            Album.objects.filter(pk__in=covered).update(cover=former_cover)
    tags.remove_links(user, before["links"])
    favourites.remove_marks(user, before["marks"])
    for kept, filled in before["fields"].items():
        _empty_again(Image.objects.filter(pk=kept, owner_id=user.pk), filled)
    return _trash(before["trash"], user)


def _empty_again(image: ImageQuerySet, filled: dict[str, Any]) -> None:
    """Empty the fields that still have the value that was filled in."""
    if "captured_at" in filled:
        for timed in image.filter(captured_at=filled["captured_at"]):
            fields = time_fields(None, timed.created_at)
            image.update(**fields, updated_at=timezone.now())
    for field, value in filled.items():
        if field in _OF_A_TIME:
            continue
        empty = _EMPTY.get(field)
        image.filter(**{field: value}).update(**{field: empty, "updated_at": timezone.now()})


def _dismiss_duplicates(before: Before, user: User) -> int:
    own = Image.objects.filter(owner_id=user.pk).order_by().values("pk")
    pairs = NearDuplicate.objects.filter(first__in=own, second__in=own)
    pairs.filter(pk__in=before["made"]).delete()
    told_apart = pairs.filter(pk__in=before["pairs"], dismissed_at=before["moment"])
    told_apart.update(dismissed_at=None)
    return len(before["ids"])


def _share(before: Before, user: User) -> int:
    """Remove what sharing a selection made: everybody loses the pictures at once. An album that
    was kept since then stays."""
    shared = Album.objects.owned_by(user).filter(pk=before["album"], for_sharing=True).first()
    if shared is None:
        return 0
    trail.record(Event.SHARE_ENDED, user, shared)
    shared.delete()
    return int(before["count"])


def _look(before: Before, user: User) -> int:
    return looks.restore(before["rows"], user)


def _ratings(before: Before, user: User) -> int:
    return details_of_many.restore_ratings(before["rows"], user.pk)


def _titles(before: Before, user: User) -> int:
    return details_of_many.restore_titles(before["rows"], user.pk)


def _dates(before: Before, user: User) -> int:
    return details_of_many.restore_dates(before["rows"], user.pk)


UNDO: dict[str, Callable[[Before, User], int]] = {
    "add_to_album": _add_to_album,
    "remove_from_album": _remove_from_album,
    "move": _move,
    "delete_search": _delete_search,
    "stop_filling": _stop_filling,
    "add_tags": _add_tags,
    "remove_tags": _remove_tags,
    "delete_tag": _delete_tag,
    "set_visibility": _visibility,
    "favourite": _favourite,
    "unfavourite": _unfavourite,
    "archive": _archive,
    "unarchive": _unarchive,
    "trash": _trash,
    "restore": _restore,
    "share": _share,
    "edit": _look,
    "rotate": _look,
    "to_original": _look,
    "rate": _ratings,
    "set_title": _titles,
    "set_date": _dates,
    "shift_date": _dates,
    "merge_duplicates": _merge_duplicates,
    "dismiss_duplicates": _dismiss_duplicates,
    "apply_labels": applying.undo,
    "answer_labels": answers.undo,
    "delete_label_set": sets.restore,
    "set_thresholds": sets.undo_thresholds,
}

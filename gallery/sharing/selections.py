"""Sharing a selection of pictures in one act, with people, groups or by a link.

The pictures become an album that is listed under Sharing only (`Album.for_sharing`). So the
rules of albums decide who sees them, and there is no other way to reach a picture. Its pictures
are those of the selection: it never grows by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from gallery.errors import Refusal
from gallery.library import texts
from gallery.library.user_lock import lock_user
from gallery.models import Album, AlbumItem, AlbumRole, AlbumShare, Change, ShareLink, User
from gallery.organising import album_rows, album_summaries, albums, changes, selection
from gallery.sharing import links, shares
from gallery.sharing.people import find_person

# Everybody gets the right to look. The sharing dialog can give more.
_ROLE = AlbumRole.VIEW
MOST_NAMES = 50


@dataclass(frozen=True)
class Shared:
    """What was shared: `count` pictures, with the people and groups of the names `shared_with`;
    `skipped` of the selection belong to others. Not `is_new`: it was shared like this before, and
    there is nothing to undo."""

    album: Album
    shared_with: list[str]
    count: int
    skipped: int
    link: ShareLink | None
    undo: Change | None
    is_new: bool = True


def share(
    spec: Mapping[str, Any],
    by: User,
    *,
    users: Sequence[str] = (),
    groups: Sequence[UUID] = (),
    link: bool = False,
    title: str = "",
) -> Shared:
    """Share the user's own pictures of the selection `spec`, all or nothing: with the people of
    these usernames, these groups, and by a link to whoever has it.

    Raises Refusal (nobody, too_many_names, nothing_to_share, or as `selection.resolve`,
    `albums.create`, `shares` and `links.create_link` do) or TooManyAttempts.
    """
    names = list(dict.fromkeys(name.strip() for name in users if name.strip()))
    if not (names or groups or link):
        raise Refusal("nobody", _("Name somebody, or make a link."), "users")
    if len(names) + len(groups) > MOST_NAMES:
        told = _("Share with at most %(most)d people and groups at once.")
        raise Refusal("too_many_names", told % {"most": MOST_NAMES}, "users")
    # Resolved outside of the transaction, since a search may use the cache and take time.
    meant = selection.resolve(spec, by)
    with transaction.atomic():
        lock_user(by)
        rows = list(meant.values_list("pk", "owner_id"))
        own = [pk for pk, owner_id in rows if owner_id == by.pk]
        if not own:
            raise Refusal(
                "nothing_to_share", _("Only your own pictures can be shared."), "selection"
            )
        skipped = len(rows) - len(own)
        before = None if link else _shared_before(by, own, title, names, groups)
        if before:
            return Shared(*before, len(own), skipped, None, None, is_new=False)
        album = _album(by, title, own)
        given = [
            *(shares.share_with_person(album, name, _ROLE, by)[0] for name in names),
            *(shares.share_with_group(album, pk, _ROLE, by)[0] for pk in dict.fromkeys(groups)),
        ]
        made = links.create_link(by=by, album=album) if link else None
        undo = changes.record(by, "share", {"album": str(album.pk), "count": len(own)})
    return Shared(album, _names(given), len(own), skipped, made, undo)


def keep_as_album(album: Album) -> None:
    """List the shared pictures among the albums from now on. Who sees them stays the same. An
    album has a title: if they have none, the name that their owner reads becomes it."""
    album.title = album_summaries.name_of(album, album.owner)
    album.for_sharing = False
    album.save(update_fields=["title", "for_sharing"])


def _shared_before(
    by: User, own: list[UUID], title: str, names: list[str], groups: Sequence[UUID]
) -> tuple[Album, list[str]] | None:
    """Return what shows exactly these pictures to all of these already, and the names of these.
    Sharing them once more would tell them again, and list the same pictures twice."""
    people = {find_person(name, by).pk for name in names}
    sets = Album.objects.owned_by(by).filter(for_sharing=True, title=texts.clean_title(title))
    for album in sets.filter(items__image=own[0]):
        given = [
            share
            for share in shares.shares_of(album)
            if share.user_id in people or share.group_id in groups
        ]
        is_for_all = len(given) == len(people) + len(set(groups))
        held = AlbumItem.objects.filter(album=album).values_list("image_id", flat=True)
        if is_for_all and set(held) == set(own):
            return album, _names(given)
    return None


def _names(given: list[AlbumShare]) -> list[str]:
    return list(dict.fromkeys(share.shown_name for share in given))


def _album(by: User, title: str, own: list[UUID]) -> Album:
    album = albums.create(by, title, for_sharing=True)
    album_rows.lock(album)
    album_rows.append(album, own)
    return album

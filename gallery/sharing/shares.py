"""Albums shared with people and groups: share, change the role, remove, leave.

The caller has checked that the acting user manages the album.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from gallery import trail
from gallery.errors import Refusal
from gallery.library import caps
from gallery.library.user_lock import lock_user
from gallery.models import Album, AlbumRole, AlbumShare, Group, Image, User
from gallery.sharing import notices
from gallery.sharing.people import find_person
from gallery.trail import Event


def shares_of(album: Album) -> QuerySet[AlbumShare]:
    return AlbumShare.objects.filter(album=album).select_related("user", "group__owner")


def shares_of_image(image: Image) -> QuerySet[AlbumShare]:
    """Return the shares of selections with this picture. Its albums are shared on their own."""
    own = Album.objects.owned_by(image.owner).filter(for_sharing=True, items__image=image)
    shares = AlbumShare.objects.filter(album__in=own.order_by().values("pk"))
    return shares.select_related("album", "user", "group__owner")


def share_with_person(album: Album, name: str, role: str, by: User) -> tuple[AlbumShare, bool]:
    """Share an album, or change the role of an existing share. Return the share and whether it
    is new.

    Raises Refusal (unknown_user, is_you, is_owner, bad_role, too_many_shares) or
    TooManyAttempts.
    """
    person = find_person(name, by)
    if person.pk == album.owner_id:
        raise Refusal("is_owner", _("The album belongs to this person already."), "user")
    return _share(album, clean_role(role), by, user=person)


def share_with_group(album: Album, group: UUID, role: str, by: User) -> tuple[AlbumShare, bool]:
    """Do the same with a group that `by` owns or is in. Raises Refusal (unknown_group,
    bad_role, too_many_shares)."""
    found = Group.objects.visible_to(by).filter(pk=group).first()
    if found is None:
        raise Refusal("unknown_group", _("Choose one of the groups that you are in."), "group")
    return _share(album, clean_role(role), by, group=found)


def change_role(share: AlbumShare, role: str) -> None:
    """Change the role of a share. Raises Refusal (bad_role)."""
    share.role = clean_role(role)
    with transaction.atomic():
        share.save(update_fields=["role"])
        _tell(Event.SHARE_CHANGED, share)


def remove(share: AlbumShare) -> None:
    """Remove a share, with immediate effect. Pictures that its people have added stay until
    they or a manager of the album take them out."""
    with transaction.atomic():
        _tell(Event.SHARE_ENDED, share)
        share.delete()


def leave(album: Album, user: User) -> list[str]:
    """Remove the shares with `user` by name. Return the names of the groups through which
    `user` still sees the album."""
    for share in shares_of(album).filter(user=user):
        remove(share)
    groups = Group.objects.filter(album_shares__album=album, members=user)
    return list(groups.order_by("name").values_list("name", flat=True))


def clean_role(role: str) -> str:
    """Return a valid role. Raises Refusal (bad_role)."""
    if role not in AlbumRole.values:
        raise Refusal("bad_role", _("Choose what they may do: view, add or manage."), "role")
    return role


def _share(album: Album, role: str, by: User, **target: Any) -> tuple[AlbumShare, bool]:
    with transaction.atomic():
        lock_user(album.owner)
        share, is_new = AlbumShare.objects.update_or_create(
            album=album,
            **target,
            defaults={"role": role},
            create_defaults={"role": role, "created_by": by},
        )
        if is_new:
            caps.refuse_beyond(caps.SHARES, album.owner)
            notices.tell(share, by)
        _tell(Event.SHARED if is_new else Event.SHARE_CHANGED, share)
    return share, is_new


def _tell(event: Event, share: AlbumShare) -> None:
    group = f"group:{share.group_id}" if share.group_id else None
    trail.record(
        event,
        share.album.owner,
        share.album,
        role=share.role,
        user=share.user.get_username() if share.user else None,
        group=group,
    )

"""Upper limits for everything an account may have besides pictures (those: `quota`). The
limits are far above normal use and keep one account from slowing the site down for all.

Code that creates a row calls `hold_room` in the same transaction. This takes the owner's
lock, so that concurrent requests cannot exceed the limit together. Records of the past
(acts, downloads, ended links) are pruned with `keep_latest` instead.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from allauth.mfa.models import Authenticator
from django.db.models import QuerySet
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from gallery.errors import Refusal
from gallery.library.user_lock import lock_user
from gallery.models import (
    Album,
    AlbumItem,
    AlbumShare,
    Favourite,
    Group,
    ImportBatch,
    Invitation,
    LabelSet,
    SavedSearch,
    ShareLink,
    Tag,
    User,
)


@dataclass(frozen=True)
class Cap:
    most: int
    counted: Callable[[Any], QuerySet[Any]]
    code: str
    sentence: Promise | str

    def refusal(self) -> Refusal:
        return Refusal(self.code, self.sentence % {"most": number_format(self.most)})


TOKENS = 100  # counted in gallery.accounts.tokens

ALBUMS = Cap(
    2_000,
    lambda owner: Album.objects.filter(owner=owner),
    "too_many_albums",
    _("You have %(most)s albums, with those in the trash. Delete some for good first."),
)
PICTURES_OF_ALBUM = Cap(
    100_000,
    lambda album: AlbumItem.objects.filter(album=album),
    "too_many_pictures",
    _("An album has at most %(most)s pictures. Make another one."),
)
TAGS = Cap(
    5_000,
    lambda owner: Tag.objects.filter(owner=owner),
    "too_many_tags",
    _("You have %(most)s tags. Remove some that you no longer need first."),
)
FAVOURITES = Cap(
    100_000,
    lambda user: Favourite.objects.filter(user=user),
    "too_many_favourites",
    _("You have %(most)s favourites. Take the mark from some first."),
)
SAVED_SEARCHES = Cap(
    500,
    lambda owner: SavedSearch.objects.filter(owner=owner),
    "too_many_searches",
    _("You have %(most)s saved searches already. Delete some that you no longer need."),
)
LABEL_SETS = Cap(
    200,
    lambda owner: LabelSet.objects.filter(owner=owner),
    "too_many_label_sets",
    _("There are %(most)s label sets, with those deleted in the last 30 days. Change one of them."),
)
GROUPS = Cap(
    200,
    lambda owner: Group.objects.filter(owner=owner),
    "too_many_groups",
    _("You have %(most)s groups. Delete one first."),
)
MEMBERS = Cap(
    500,
    lambda group: Group.members.through.objects.filter(group=group),
    "too_many_members",
    _("A group has at most %(most)s members. Make another one."),
)
SHARES = Cap(
    5_000,
    lambda owner: AlbumShare.objects.filter(album__owner=owner),
    "too_many_shares",
    _("%(most)s people and groups see albums of this account. Stop sharing with some first."),
)
LINKS = Cap(
    1_000,
    lambda user: ShareLink.objects.live().filter(created_by=user),
    "too_many_links",
    _("You have %(most)s links that work. Revoke one first."),
)
INVITATIONS = Cap(
    500,
    lambda user: Invitation.objects.live().filter(created_by=user),
    "too_many_invitations",
    _("You have given %(most)s invitations that are open. Revoke one first."),
)
PASSKEYS = Cap(
    20,
    lambda user: Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN),
    "too_many_passkeys",
    _("You have %(most)s passkeys. Remove one first."),
)
IMPORTS = Cap(
    20,
    lambda owner: ImportBatch.objects.filter(owner=owner, finished_at=None),
    "too_many_imports",
    _("Wait until some of your imports have ended: too many run."),
)
# How many records of the past are kept.
ENDED_KEPT = 1_000
CHANGES_KEPT = 1_000
DOWNLOADS_KEPT = 50
IMPORTS_KEPT = 200
UPLOADS_KEPT = 10_000
NOTICES_KEPT = 200


def hold_room(cap: Cap, owner: User, of: object = None, more: int = 1) -> None:
    """Check that there is room for `more` rows of the owner, or of the owner's album or group
    `of`, and keep it until the transaction ends. Raises Refusal (too_many_…)."""
    lock_user(owner)
    if cap.counted(of or owner).count() + more > cap.most:
        raise cap.refusal()


def refuse_if_full(cap: Cap, owner: User) -> None:
    """Raise Refusal if there is no room for one more. For rows that third-party code creates
    in a transaction of its own."""
    if cap.counted(owner).count() >= cap.most:
        raise cap.refusal()


def refuse_beyond(cap: Cap, of: object) -> None:
    """Raise Refusal (too_many_…) if there are more rows than allowed. Called after an act that
    creates many at once; its transaction then rolls back. `of` is the owner or the album."""
    if cap.counted(of).count() > cap.most:
        raise cap.refusal()


def keep_latest(rows: QuerySet[Any], most: int, by: str = "-created_at") -> None:
    """Remove the oldest rows, at most 1,000 at a time, so that `most` are left."""
    over = rows.order_by(by, "-pk").values_list("pk", flat=True)[most:]
    stale = list(over[:1_000])
    if stale:
        rows.model.objects.filter(pk__in=stale).delete()

"""Albums: make, change, fill, arrange, delete, restore.

Only the owner of a picture puts it into an album, and so shows it to everybody who may see the
album. The picture's owner and those who manage the album may take it out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import transaction
from django.db.models import Case, CharField, Exists, OuterRef, Q, Value, When
from django.utils import timezone
from django.utils.translation import gettext as _

from gallery.errors import Refusal
from gallery.library import caps, texts
from gallery.models import Album, AlbumRole, AlbumShare, Image, SavedSearch, User, Viewer
from gallery.organising import album_rows

if TYPE_CHECKING:
    from gallery.models.album import AlbumQuerySet
    from gallery.models.image import ImageQuerySet

OWNER = "owner"
MAX_MOVED = 1000


# --- Who may do what ------------------------------------------------------------


def with_role(albums: AlbumQuerySet, viewer: Viewer) -> AlbumQuerySet:
    """Annotates `viewer_role`: "owner", the strongest role of `viewer`, or ""."""
    given = AlbumShare.objects.given_to(viewer).filter(album=OuterRef("pk"))
    strongest_first = reversed(AlbumRole.values)
    return albums.annotate(
        viewer_role=Case(
            When(owner_id=viewer.pk or 0, then=Value(OWNER)),
            *(When(Exists(given.filter(role=role)), then=Value(role)) for role in strongest_first),
            default=Value(""),
            output_field=CharField(),
        )
    )


def role_of(album: Album, viewer: Viewer) -> str:
    """Return "owner", "manage", "add", "view", or "" if the album is not shared with the
    viewer."""
    known = getattr(album, "viewer_role", None)
    if known is not None:
        return str(known)
    if viewer.pk is not None and album.owner_id == viewer.pk:
        return OWNER
    given = AlbumShare.objects.given_to(viewer).filter(album=album)
    roles = set(given.values_list("role", flat=True))
    return next((role for role in reversed(AlbumRole.values) if role in roles), "")


def may_add(album: Album, viewer: Viewer) -> bool:
    return Album.objects.open_to(viewer).filter(pk=album.pk).exists()


def may_manage(album: Album, viewer: Viewer) -> bool:
    return Album.objects.managed_by(viewer).filter(pk=album.pk).exists()


def refuse_if_smart(album: Album) -> None:
    """Raise Refusal (fills_itself) for an album that a saved search fills."""
    if SavedSearch.objects.filter(album=album).exists():
        raise Refusal(
            "fills_itself",
            _(
                "This album fills itself from a saved search: pictures are neither added "
                "nor taken out by hand."
            ),
            "album",
        )


def images_of(album: Album, viewer: Viewer) -> ImageQuerySet:
    """Return the pictures that the album shows to `viewer`, who may see it: all except hidden
    ones of others. Any order works, also `keyset.IN_ALBUM`."""
    shown = Q(hidden_at__isnull=True) | Q(owner_id=viewer.pk or 0)
    images = Image.objects.filter(shown, album_items__album=album, deleted_at__isnull=True)
    return images.with_place()


# --- Make and change ------------------------------------------------------------


@transaction.atomic
def create(owner: User, title: str, description: str = "", *, for_sharing: bool = False) -> Album:
    """Make an album without pictures. Only one `for_sharing` may be without a title.

    Raises Refusal (see `texts`; title_missing, too_many_albums).
    """
    title, description = _clean_title(title, for_sharing), texts.clean_description(description)
    caps.hold_room(caps.ALBUMS, owner)
    return Album.objects.create(
        owner=owner, title=title, description=description, for_sharing=for_sharing
    )


def update(album: Album, **fields: Any) -> Album:
    """Change `title`, `description` and `cover` if given. The cover is the id of a picture that
    the album shows to everybody, or None for its first one.

    Raises Refusal (see `texts`; bad_cover).
    """
    changed = []
    if fields.get("title") is not None:
        album.title = _clean_title(fields["title"], album.for_sharing)
        changed.append("title")
    if fields.get("description") is not None:
        album.description = texts.clean_description(fields["description"])
        changed.append("description")
    if "cover" in fields:
        album.cover_id = _clean_cover(album, fields["cover"])
        changed.append("cover")
    album.save(update_fields=[*changed, "updated_at"])
    return album


def _clean_cover(album: Album, image_id: UUID | None) -> UUID | None:
    if image_id and not Image.objects.in_album(album).filter(pk=image_id).exists():
        raise Refusal("bad_cover", _("The cover is one of the album's pictures."), "cover")
    return image_id


def _clean_title(title: str, may_be_empty: bool) -> str:
    title = texts.clean_title(title)
    if not title and not may_be_empty:
        raise Refusal("title_missing", _("Give the album a title."), "title")
    return title


def trash(album: Album) -> None:
    """Put an album into the trash; its pictures stay. Nothing happens if it is there already."""
    if album.deleted_at is None:
        album.deleted_at = timezone.now()
        album.save(update_fields=["deleted_at", "updated_at"])


def restore(album: Album) -> None:
    """Take an album out of the trash, with its pictures, people and links."""
    album.deleted_at = None
    album.save(update_fields=["deleted_at", "updated_at"])


# --- Fill and arrange -------------------------------------------------------------


@transaction.atomic
def add_images(album: Album, images: ImageQuerySet, actor: User) -> int:
    """Append the actor's own pictures among `images`, in the order in which they were taken.
    Returns how many are new.

    Raises Refusal unless the actor may add to the album (album_closed, fills_itself).
    """
    if not may_add(album, actor):
        raise Refusal("album_closed", _("You may not add pictures to this album."), "album")
    refuse_if_smart(album)
    own = images.filter(owner_id=actor.pk, deleted_at__isnull=True).order_by()
    album_rows.lock(album)
    return len(album_rows.append(album, list(own.values_list("pk", flat=True))))


@transaction.atomic
def remove_images(album: Album, images: ImageQuerySet, actor: User) -> int:
    """Take `images` out of the album: all of them if the actor manages it, else the
    actor's own. Returns how many were there. Raises Refusal (fills_itself)."""
    refuse_if_smart(album)
    taken = removable(album, images, actor).order_by()
    album_rows.lock(album)
    return len(album_rows.remove(album, list(taken.values_list("pk", flat=True))))


def removable(album: Album, images: ImageQuerySet, actor: User) -> ImageQuerySet:
    return images if may_manage(album, actor) else images.filter(owner_id=actor.pk)


@transaction.atomic
def move(
    album: Album, image_ids: Sequence[UUID], before: UUID | None, actor: User
) -> list[album_rows.Move]:
    """Move pictures of the album, in this order, before another one (None: to the end). Ids that
    are not in the album are ignored. Returns what moved.

    Raises Refusal unless the actor manages the album and `before` is in it.
    """
    if not may_manage(album, actor):
        raise Refusal("album_not_managed", _("You may not arrange this album."), "album")
    if len(image_ids) > MAX_MOVED:
        raise Refusal("too_many_ids", _("Give at most %(most)d ids.") % {"most": MAX_MOVED}, "ids")
    album_rows.lock(album)
    return album_rows.place(album, list(dict.fromkeys(image_ids)), before)

"""A user's pictures in albums of others, also in albums that the user no longer sees.

Only the owner of a picture can put it into an album. So the right to take it out again does
not end with a share.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Count, Exists, OuterRef, Q

from gallery.models import Album, AlbumItem, User, Viewer

if TYPE_CHECKING:
    from gallery.models.album import AlbumQuerySet

# An order for `contributions_of`.
GONE_FIRST = ["visible", "title", "pk"]


def albums_with_pictures_of(user: Viewer) -> AlbumQuerySet:
    """All albums that contain a picture of `user`."""
    items = AlbumItem.objects.filter(image__owner_id=user.pk or 0)
    return Album.objects.filter(pk__in=items.values("album_id"))


def contributions_of(user: User) -> AlbumQuerySet:
    """Albums of others that contain pictures of `user`, with their owner. Annotates `count`, the
    number of these pictures, and `visible`, whether `user` still sees the album."""
    albums = albums_with_pictures_of(user).filter(deleted_at__isnull=True)
    visible = Album.objects.visible_to(user).order_by().filter(pk=OuterRef("pk"))
    counted = albums.exclude(owner_id=user.pk).annotate(
        count=Count("items", filter=Q(items__image__owner_id=user.pk)), visible=Exists(visible)
    )
    return counted.select_related("owner")


def count_in(album: Album, user: User) -> int:
    return AlbumItem.objects.filter(album=album, image__owner_id=user.pk).count()


def withdraw(album: Album, user: User) -> int:
    """Take all pictures of `user` out of the album. Return their number."""
    removed, _by_model = AlbumItem.objects.filter(album=album, image__owner_id=user.pk).delete()
    return removed

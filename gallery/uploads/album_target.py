"""Puts a new picture into the album that the upload names."""

from __future__ import annotations

from uuid import UUID

from django.utils.translation import gettext as _

from gallery.errors import Refusal
from gallery.models import Album, Image, User
from gallery.organising import albums


def put_into_album(image: Image, album_id: UUID | str | None, owner: User) -> Refusal | None:
    """Put the picture into the requested album, if there is one.

    If that fails, because the album was deleted or closed meanwhile, return the refusal and do
    not raise it: the picture is kept anyway.
    """
    if album_id is None:
        return None
    album = Album.objects.open_to(owner).filter(pk=album_id).first()
    if album is None:
        return Refusal(
            "album_closed",
            _("The picture was added, but not to the album: it was deleted or closed to you."),
            "album",
        )
    try:
        albums.add_images(album, Image.objects.filter(pk=image.pk), owner)
    except Refusal as refusal:
        return refusal
    return None

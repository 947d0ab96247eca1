"""Where a picture goes that has just been added."""

from __future__ import annotations

from uuid import UUID

from django.utils.translation import gettext as _

from gallery.errors import Refusal
from gallery.models import Album, Image, User
from gallery.organising import albums


def put_into_album(image: Image, album_id: UUID | str | None, owner: User) -> Refusal | None:
    """Put the picture into the album that was wished for, if there was one.

    What comes back instead of being raised is why it could not be: the album was
    deleted or closed since, and the picture is kept all the same.
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

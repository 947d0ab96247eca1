"""Downloads of many pictures: what was asked for is noted, then fetched once or more
within the hour, by nobody else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from gallery import keyset
from gallery.errors import Expired, Refusal
from gallery.library import caps
from gallery.models import Album, Download, User
from gallery.organising import albums
from gallery.organising.archive import Archive
from gallery.organising.zip_names import safe_name

if TYPE_CHECKING:
    from gallery.models.image import ImageQuerySet

LIFETIME = timedelta(hours=1)


@dataclass(frozen=True)
class Prepared:
    """A noted download. `bytes` is the size of the originals together: more or less
    what will come."""

    id: UUID
    count: int
    bytes: int


def of_selection(images: ImageQuerySet, user: User) -> Prepared:
    """Note these pictures, in the order in which they were taken. Raises Refusal if
    there are none."""
    return _note(images.order_by("taken_at", "pk"), user, "clipsite")


def of_album(album: Album, user: User) -> Prepared:
    """Note all that the album, which `user` may see, shows. Raises as above."""
    shown = albums.images_of(album, user).order_by(*keyset.IN_ALBUM.fields())
    return _note(shown, user, album.title)


def _note(images: ImageQuerySet, user: User, name: str) -> Prepared:
    rows = list(images.values_list("pk", "byte_size"))
    if not rows:
        raise Refusal("nothing_to_download", _("There is no picture to download."), "selection")
    note = Download.objects.create(user=user, name=name, image_ids=[pk for pk, _size in rows])
    caps.keep_latest(noted_by(user), caps.DOWNLOADS_KEPT)
    return Prepared(note.pk, len(rows), sum(size for _pk, size in rows))


def noted_by(user: User | AnonymousUser) -> QuerySet[Download]:
    return Download.objects.filter(user_id=user.pk or 0)


def response(note: Download, user: User) -> StreamingHttpResponse:
    """The archive, with its length where that is known. Raises Expired."""
    if note.created_at < timezone.now() - LIFETIME:
        raise Expired("download_expired", _("This download has expired. Ask for it again."))
    archive = Archive(note.image_ids, user)
    sent = StreamingHttpResponse(iter(archive), content_type="application/zip")
    if archive.length is not None:
        sent["Content-Length"] = str(archive.length)
    name = safe_name(f"{note.name}.zip", ".zip")
    sent["Content-Disposition"] = content_disposition_header(True, name) or ""
    sent["X-Content-Type-Options"] = "nosniff"
    return sent


def forget_old() -> int:
    """Remove notes that have expired. Returns how many."""
    expired = Download.objects.filter(created_at__lt=timezone.now() - LIFETIME)
    return expired.delete()[0]

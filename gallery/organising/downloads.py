"""Downloads of many pictures. A request is stored, and only its user can fetch it, once or more
often within the hour."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from gallery import keyset
from gallery.errors import Expired, Refusal
from gallery.library import caps
from gallery.models import Album, Download, User, Viewer
from gallery.organising import album_summaries, albums
from gallery.organising.archive import Archive
from gallery.organising.zip_names import safe_name

if TYPE_CHECKING:
    from gallery.models.image import ImageQuerySet

LIFETIME = timedelta(hours=1)


@dataclass(frozen=True)
class Prepared:
    """A stored download. `bytes` is the total size of the originals, which is about the size of
    the archive."""

    id: UUID
    count: int
    bytes: int


def of_selection(images: ImageQuerySet, user: User) -> Prepared:
    """Store a download of these pictures, in the order in which they were taken. Raises Refusal
    (nothing_to_download)."""
    return _note(images.order_by("taken_at", "pk"), user, "clipsite")


def of_album(album: Album, user: User) -> Prepared:
    """Store a download of all pictures that the album shows to `user`, who may see it. Raises
    as `of_selection` does."""
    shown = albums.images_of(album, user).order_by(*keyset.IN_ALBUM.fields())
    return _note(shown, user, album_summaries.name_of(album, user))


def _note(images: ImageQuerySet, user: User, name: str) -> Prepared:
    rows = list(images.values_list("pk", "byte_size"))
    if not rows:
        raise Refusal("nothing_to_download", _("There is no picture to download."), "selection")
    note = Download.objects.create(user=user, name=name, image_ids=[pk for pk, _size in rows])
    caps.keep_latest(noted_by(user), caps.DOWNLOADS_KEPT)
    return Prepared(note.pk, len(rows), sum(size for _pk, size in rows))


def noted_by(user: Viewer) -> QuerySet[Download]:
    return Download.objects.filter(user_id=user.pk or 0)


def response(note: Download, user: User) -> StreamingHttpResponse:
    """Return the archive, with its length if that is known. Raises Expired."""
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
    """Remove downloads that have expired. Returns how many."""
    expired = Download.objects.filter(created_at__lt=timezone.now() - LIFETIME)
    return expired.delete()[0]

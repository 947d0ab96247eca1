"""Downloads for visitors of a link: clean copies under neutral names.

The ZIP file is made while it is sent. Before each picture the link is checked again. A text
file inside lists the pictures that the link no longer shows or that cannot be read, so that
the archive is always valid.

Links never show when a picture was taken: entries have the time of the download.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from django.http import StreamingHttpResponse
from django.utils import translation
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from zipstream import ZipStream

from gallery import keyset
from gallery.errors import Refusal, Unavailable
from gallery.library.renditions import ensure_clean_copy
from gallery.library.storage import read_stored
from gallery.models import ShareLink
from gallery.organising.zip_names import safe_name
from gallery.sharing import link_access, link_contents

LEFT_OUT = "left-out.txt"


class DownloadNotAllowed(Refusal):
    """The link does not allow downloads (HTTP 403)."""

    status = 403

    def __init__(self) -> None:
        super().__init__(
            "download_not_allowed", _("These pictures are shared to look at, not to download.")
        )


def check_allowed(link: ShareLink) -> None:
    """Raise DownloadNotAllowed unless the link allows downloads."""
    if not link.allow_download:
        raise DownloadNotAllowed


def zip_response(link: ShareLink) -> StreamingHttpResponse:
    """Return a ZIP file of all that the link shows. Raises DownloadNotAllowed."""
    check_allowed(link)
    pictures = link_contents.pictures_of(link).order_by(*keyset.IN_ALBUM.fields())
    ids = list(pictures.values_list("pk", flat=True))
    archive = _archive(link.token, ids, translation.get_language())
    response = StreamingHttpResponse(archive, content_type="application/zip")
    name = safe_name(f"{link_contents.about(link).title}.zip", ".zip")
    response["Content-Disposition"] = content_disposition_header(True, name) or ""
    response["Cache-Control"] = "private, no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _archive(token: str, ids: list[UUID], language: str) -> Iterator[bytes]:
    archive = ZipStream()
    digits = max(3, len(str(len(ids))))
    left_out = []
    for number, pk in enumerate(ids, 1):
        name = f"{number:0{digits}}.webp"
        try:
            with translation.override(language):
                copy = _clean_copy(token, pk)
        except (Refusal, Unavailable) as reason:
            left_out.append(f"{name}: {reason}")
        else:
            archive.add(copy, name)
            yield from archive.file()
    if left_out:
        with translation.override(language):
            heading = _("These pictures are left out:")
        archive.add("\n".join([heading, *left_out, ""]), LEFT_OUT)
    yield from archive.finalize()


def _clean_copy(token: str, pk: UUID) -> bytes:
    """Read the clean copy of a picture, if the link still shows it. Raises LinkGone and
    DownloadNotAllowed, or what `ensure_clean_copy` and `read_stored` raise."""
    link = link_access.find_link(token)
    check_allowed(link)
    image = link_contents.pictures_of(link).filter(pk=pk).first()
    if image is None:
        raise link_access.LinkGone
    return read_stored(ensure_clean_copy(image)).getvalue()

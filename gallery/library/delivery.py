"""HTTP responses that send a picture to a viewer. The caller has checked the viewer's right.

The content of a picture never changes, but the right to see it may. Browsers therefore
cache it and revalidate it on each use (`no-cache` with an ETag), so that a picture made
private is gone at once. Only signed addresses of thumbnails (gallery.library.thumbnails)
are not revalidated during the minutes for which they work.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from urllib.parse import quote
from uuid import UUID

from django.conf import settings
from django.core.files.storage import FileSystemStorage, default_storage
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header

from gallery import prepared
from gallery.indexing import selectors
from gallery.library import thumbnails
from gallery.library.renditions import (
    WIDTHS,
    ensure_clean_copy,
    ensure_edited_jpeg,
    ensure_rendition,
    nearest_width,
    unedited,
)
from gallery.library.storage import (
    is_stored,
    looked_at,
    open_stored,
    original_of,
    rendition_path_of,
)
from gallery.models import Image, Viewer

# Width of a thumbnail in pixels if the request names none.
DEFAULT_WIDTH = 640

# What pictures from before a width was added have instead.
_INSTEAD = {480: 640}

_ASK_AGAIN = "private, no-cache"
# While it asks again for an address that still works, the browser shows what it has.
_KEEP = f"private, max-age={thumbnails.PERIOD}, stale-while-revalidate={thumbnails.PERIOD}"
_HEADERS = {
    # Browsers must treat the file as a picture, whatever they make of its bytes.
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
}


# The fields needed to send a picture. A page of pictures is one request for itself and dozens
# for thumbnails: assembling all that pages show of a picture took longer than all else.
_SENT = (
    *("id", "owner", "file", "original_name", "content_type", "width", "height"),
    *("recipe", "edition"),
)
_LEFT_OUT = tuple(field.name for field in Image._meta.concrete_fields if field.name not in _SENT)
_FIND = "SELECT {columns} FROM gallery_image sent WHERE sent.id = %s AND sent.id IN ({reachable})"


def find(pk: UUID, viewer: Viewer) -> Image | None:
    """Return the picture if `viewer` may reach it by its id, else None. Only the fields that
    the functions below need are loaded."""
    reachable, params = selectors.reachable_ids(viewer)
    columns = prepared.columns(Image, "sent", _LEFT_OUT)
    statement = _FIND.format(columns=columns, reachable=reachable)
    found: list[Image] = prepared.instances(Image, statement, [pk, *params])
    return found[0] if found else None


@dataclass(frozen=True)
class _Sending:
    """`stored` returns the name in the storage, which may take time; `filename` is what the
    receiver sees; `etag` differs between all files of all pictures."""

    stored: Callable[[], str]
    content_type: str
    filename: str
    etag: str


def picture_response(
    image: Image,
    viewer: Viewer,
    *,
    download: bool = False,
    original: bool = False,
    request: HttpRequest | None = None,
) -> HttpResponseBase:
    """Return the picture in full size: for its owner the untouched original under its own
    name, for everybody else a copy without metadata under a neutral name. Of an edited picture
    owners get a copy, too, and a JPEG as a download, unless they ask for the `original`.

    With `request`, a browser that has the file already gets 304. Raises NoPreview, or
    Unavailable if the storage fails or the file is missing.
    """
    sending = _clean_copy(image)
    if image.is_owned_by(viewer):
        if original or not image.is_edited:
            sending = _original(image)
        elif download:
            sending = _edited_jpeg(image)
    return _send(sending, download=download, request=request)


def clean_response(
    image: Image, *, download: bool = False, request: HttpRequest | None = None
) -> HttpResponseBase:
    """Return the copy without metadata, for owners too, as share links show it. `request` and
    errors as in `picture_response`."""
    return _send(_clean_copy(image), download=download, request=request)


def thumbnail_response(
    image: Image, width: int, *, request: HttpRequest | None = None
) -> HttpResponseBase:
    """Return the rendition next to `width` pixels. `request` and errors as in
    `picture_response`."""
    nearest = nearest_width(image, width)
    made = partial(ensure_rendition, image, nearest)
    sending = _thumbnail(image.pk, image.edition, nearest, made)
    return _send(sending, download=False, request=request)


def unedited_response(image: Image, width: int) -> HttpResponseBase:
    """Return an edited picture as it was before, for its editor. It is drawn for this response and
    not stored. Raises as `picture_response` does."""
    response = HttpResponse(unedited(image, width), content_type="image/webp")
    for header, value in _HEADERS.items():
        response[header] = value
    response["Cache-Control"] = _ASK_AGAIN
    return response


def stored_thumbnail_response(
    pk: UUID, edition: str, width: int, *, request: HttpRequest
) -> HttpResponseBase | None:
    """Return the rendition of `width` pixels or the next wider one if the storage has it, else
    None. Neither rights nor the database are checked. Raises Unavailable."""
    nearest = next((each for each in WIDTHS if each >= width), WIDTHS[-1])
    name = rendition_path_of(pk, nearest, edition)
    if not is_stored(name):
        instead = _INSTEAD.get(nearest)
        if instead is None:
            return None
        return stored_thumbnail_response(pk, edition, instead, request=request)
    sending = _thumbnail(pk, edition, nearest, lambda: name)
    response = _send(sending, download=False, request=request, caching=_KEEP)
    # The address gives access and may contain a share link's token: it must not spread.
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


def _thumbnail(pk: UUID, edition: str, width: int, stored: Callable[[], str]) -> _Sending:
    tag = f'"{looked_at(pk, edition)}-{width}"'
    return _Sending(stored, "image/webp", f"{pk}-{width}.webp", tag)


def _original(image: Image) -> _Sending:
    extension = os.path.splitext(original_of(image))[1]
    return _Sending(
        stored=partial(original_of, image),
        content_type=image.content_type,
        filename=image.original_name or f"{image.pk}{extension}",
        etag=f'"{image.pk}-original"',
    )


def _edited_jpeg(image: Image) -> _Sending:
    name = os.path.splitext(image.original_name)[0] or str(image.pk)
    return _Sending(
        stored=partial(ensure_edited_jpeg, image),
        content_type="image/jpeg",
        filename=f"{name}.jpg",
        etag=f'"{looked_at(image.pk, image.edition)}-jpeg"',
    )


def _clean_copy(image: Image) -> _Sending:
    return _Sending(
        stored=partial(ensure_clean_copy, image),
        content_type="image/webp",
        filename=f"{image.pk}.webp",
        etag=f'"{looked_at(image.pk, image.edition)}-full"',
    )


def _send(
    sending: _Sending, *, download: bool, request: HttpRequest | None, caching: str = _ASK_AGAIN
) -> HttpResponseBase:
    response: HttpResponseBase | None = None
    if request is not None:
        response = get_conditional_response(request, etag=sending.etag)
    if response is None:
        response = _body(sending, download)
    for header, value in _HEADERS.items():
        response[header] = value
    response["Cache-Control"] = caching
    response["ETag"] = sending.etag
    return response


def _body(sending: _Sending, download: bool) -> HttpResponseBase:
    name = sending.stored()
    # Opened even if the proxy will send the file, to report a missing file properly.
    file = open_stored(name)
    if not settings.ACCEL_REDIRECT_PREFIX or not isinstance(default_storage, FileSystemStorage):
        return FileResponse(
            file,
            as_attachment=download,
            filename=sending.filename,
            content_type=sending.content_type,
        )
    file.close()
    response = HttpResponse(content_type=sending.content_type)
    response["Content-Disposition"] = content_disposition_header(download, sending.filename) or ""
    response["X-Accel-Redirect"] = f"{settings.ACCEL_REDIRECT_PREFIX.rstrip('/')}/{quote(name)}"
    return response

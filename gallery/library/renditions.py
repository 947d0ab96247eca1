"""Smaller copies of a picture, made by the media worker or when first asked for.

Everybody but the owner gets the full-size copy, since the original may reveal where it was
taken. Pictures are never enlarged: the last copy is that of the first width that is not
smaller than the picture's, and it has the picture's own width.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Protocol
from uuid import UUID

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils.translation import gettext as _

from gallery.errors import Refusal, Unavailable
from gallery.library import rendition_pixels
from gallery.library.storage import (
    edited_folder_of,
    edited_jpeg_path,
    is_stored,
    original_of,
    read_stored,
    rendition_path,
    rendition_path_of,
    replace_stored,
)
from gallery.models import Analysis, Image
from gallery.pixels import isolation
from gallery.pixels.recipe import read as read_recipe

logger = logging.getLogger(__name__)

WIDTHS = (320, 480, 640, 1280, 2048)

# The name of the analyser that makes them all (gallery.library.rendering).
ANALYSER = "renditions"


class NoPreview(Refusal):
    """There is no smaller copy of this picture, and there will be none (HTTP 404)."""

    status = 404

    def __init__(self) -> None:
        super().__init__(
            "no_preview", _("This picture cannot be shown smaller. Download the original instead.")
        )


# --- When asked for ---------------------------------------------------------------


def ensure_rendition(image: Image, width: int) -> str:
    """Return the storage name of the rendition next to `width`. Makes it if it is missing.

    Raises NoPreview or, if the storage fails, Unavailable.
    """
    return _ensure(image, nearest_width(image, width))


def ensure_clean_copy(image: Image) -> str:
    """Return the storage name of the full-size copy without metadata. Makes it if missing.

    Raises as `ensure_rendition` does.
    """
    return _ensure(image, None)


def _ensure(image: Image, width: int | None) -> str:
    name = rendition_path(image, width)
    if is_stored(name):
        return name
    failed = Analysis.objects.filter(image=image, analyser=ANALYSER, reason_code="damaged")
    if failed.filter(state=Analysis.State.FAILED).exists():
        raise NoPreview
    try:
        _make(image, width)
    except Unavailable as error:
        if Image.objects.filter(pk=image.pk).exists():
            raise
        raise NoPreview from error
    except (isolation.Undecodable, Refusal) as error:
        logger.warning("Picture %s cannot be rendered: %s", image.pk, error)
        raise NoPreview from error
    return name


class Sized(Protocol):
    """A picture, or another object with the width of one."""

    @property
    def width(self) -> int: ...


def widths_of(image: Sized) -> list[int]:
    """Return the widths that are made of `image`, ascending."""
    last = next((width for width in WIDTHS if width >= image.width), WIDTHS[-1])
    return [width for width in WIDTHS if width <= last]


def nearest_width(image: Image, wanted: int) -> int:
    """Return the smallest width of `image` that is at least `wanted`, or else the largest."""
    widths = widths_of(image)
    return next((width for width in widths if width >= wanted), widths[-1])


def _make(image: Image, width: int | None) -> None:
    original = read_stored(original_of(image))
    size, recipe = (image.width, image.height), read_recipe(image.recipe)
    (content,) = rendition_pixels.draw(original, size, [width], recipe)
    replace_stored(rendition_path(image, width), ContentFile(content))
    _keep_only_what_is_shown(image)


def _keep_only_what_is_shown(image: Image) -> None:
    """Remove what was just written if the picture was purged or edited meanwhile: what was cropped
    away must not stay. Raises NoPreview then."""
    if not remove_outdated(image.pk, image.edition):
        raise NoPreview


def ensure_edited_jpeg(image: Image) -> str:
    """Return the storage name of the full-size JPEG of an edited picture. Makes it if missing.

    Raises as `ensure_rendition` does.
    """
    name = edited_jpeg_path(image)
    if is_stored(name):
        return name
    try:
        jpeg = rendition_pixels.draw_jpeg(
            read_stored(original_of(image)), read_recipe(image.recipe)
        )
    except (isolation.Undecodable, Refusal) as error:
        logger.warning("Picture %s cannot be rendered: %s", image.pk, error)
        raise NoPreview from error
    replace_stored(name, ContentFile(jpeg))
    _keep_only_what_is_shown(image)
    return name


def unedited(image: Image, width: int) -> bytes:
    """Return the rendition of an edited picture as it was before. Raises as `ensure_rendition`
    does."""
    size = image.recipe["of"]
    wanted = min(width, WIDTHS[-1], size[0])
    try:
        (content,) = rendition_pixels.draw(
            read_stored(original_of(image)), (size[0], size[1]), [wanted]
        )
    except (isolation.Undecodable, Refusal) as error:
        raise NoPreview from error
    return content


# --- Removing -----------------------------------------------------------------------


def remove_outdated(pk: UUID, edition: str) -> bool:
    """Remove the renditions of `edition` unless the picture still looks like that. Returns whether
    it does. Whoever has written renditions asks this afterwards, and whoever changes a picture
    removes its renditions after the commit: none of an earlier look is left."""
    now = Image.objects.filter(pk=pk).values_list("edition", flat=True).first()
    if now is None:
        remove_renditions(pk)
    elif now != edition:
        remove_renditions(pk, but=now)
    return now == edition


def remove_renditions(pk: UUID, but: str | None = None) -> None:
    """Remove every rendition of a picture, whose row may be gone already; `but` those of one
    edition."""
    if but != "":
        for width in (*WIDTHS, None):
            default_storage.delete(rendition_path_of(pk, width))
    folder = edited_folder_of(pk)
    try:
        _folders, names = default_storage.listdir(folder)
    except FileNotFoundError:
        return  # it was never edited
    outdated = [name for name in names if not (but and name.startswith(f"{but}-"))]
    for name in outdated:
        default_storage.delete(f"{folder}/{name}")
    if len(outdated) == len(names):
        with suppress(OSError):  # somebody writes there again
            default_storage.delete(folder)

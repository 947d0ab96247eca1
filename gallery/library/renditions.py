"""Smaller copies of a picture, made by the media worker or when first asked for.

The full-size copy is what others than the owner get, since the original may tell
where it was taken. A picture is never enlarged: the smallest width that reaches
its own is made at its own width, and is the last.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from PIL.Image import Image as Picture

from gallery import doorbell
from gallery.errors import Refusal, Unavailable
from gallery.library import drawing
from gallery.library.looks import looks_of
from gallery.library.storage import original_of, read_stored, rendition_path, replace_stored
from gallery.models import Image
from gallery.pixels import isolation, places
from gallery.pixels.decode import unpack

logger = logging.getLogger(__name__)

WIDTHS = (320, 640, 1280, 2048)

_MAX_ATTEMPTS = 3
# Younger pictures have just rung for themselves.
_SWEEP_AGE = timedelta(seconds=60)

# Kept in the row in English, translated where they are shown.
_DAMAGED = gettext_noop("The picture cannot be decoded. Upload it again from its source.")
_MISSING = gettext_noop("The file of this picture is missing on the server. Upload it again.")
_STORAGE = gettext_noop("The storage did not answer.")


class NoPreview(Refusal):
    """There is no smaller copy of this picture, and there will be none (HTTP 404)."""

    status = 404

    def __init__(self) -> None:
        super().__init__(
            "no_preview", _("This picture cannot be shown smaller. Download the original instead.")
        )


# --- In the media worker ----------------------------------------------------------


def render(image: Image) -> None:
    """Make every width and the placeholder of a pending picture, and note the state
    and what it looks like.

    Two workers may do the same picture: they write the same. A storage that
    fails is tried again by the sweep, `_MAX_ATTEMPTS` times in all.
    """
    pending = Image.objects.filter(pk=image.pk, render_state=Image.RenderState.PENDING).first()
    if pending is None:  # done already, or purged meanwhile
        return
    try:
        smallest = _make(pending, widths_of(pending))
    except (isolation.Undecodable, Refusal) as error:
        logger.warning("Picture %s cannot be rendered: %s", pending.pk, error)
        _fail(pending, _DAMAGED)
    except places.Busy as error:
        logger.warning("The renditions of %s wait: %s", pending.pk, error.code)
    except Unavailable as error:
        if error.code == "file_missing":
            _fail(pending, _MISSING)
        else:
            _try_later(pending)
    except Exception:  # writing: each kind of storage has exceptions of its own
        logger.exception("The renditions of %s cannot be stored", pending.pk)
        _try_later(pending)
    else:
        Image.objects.filter(pk=pending.pk).update(
            render_state=Image.RenderState.READY,
            render_error="",
            placeholder=drawing.placeholder(smallest),
            **looks_of(smallest),
        )


def pending_renders(limit: int) -> list[str]:
    """Ids of pictures whose renditions are overdue, the least tried ones first."""
    overdue = Image.objects.filter(
        render_state=Image.RenderState.PENDING, created_at__lt=timezone.now() - _SWEEP_AGE
    )
    ids = overdue.order_by("render_attempts", "created_at").values_list("pk", flat=True)
    return [str(pk) for pk in ids[:limit]]


def may_pass(image: Image) -> bool:
    """Whether renditions that failed may succeed another time: if the storage was tried
    in vain, and not if the picture is to blame, which fails at once."""
    return image.render_attempts >= _MAX_ATTEMPTS


def request_renditions(images: QuerySet[Image]) -> int:
    """Have the renditions of `images` made again. Returns the number of pictures."""
    ids = list(images.values_list("pk", flat=True))
    Image.objects.filter(pk__in=ids).update(
        render_state=Image.RenderState.PENDING, render_error="", render_attempts=0
    )
    for pk in ids:
        doorbell.ring("gallery.tasks.render_image", str(pk))
    return len(ids)


def _fail(image: Image, reason: str) -> None:
    Image.objects.filter(pk=image.pk).update(
        render_state=Image.RenderState.FAILED,
        render_error=reason,
        render_attempts=F("render_attempts") + 1,
    )


def _try_later(image: Image) -> None:
    row = Image.objects.filter(pk=image.pk, render_state=Image.RenderState.PENDING)
    row.update(render_attempts=F("render_attempts") + 1, render_error=_STORAGE)
    row.filter(render_attempts__gte=_MAX_ATTEMPTS).update(render_state=Image.RenderState.FAILED)


# --- When asked for ---------------------------------------------------------------


def ensure_rendition(image: Image, width: int) -> str:
    """The storage name of the rendition next to `width`, made now if it is missing.

    Raises NoPreview or, where the storage fails, Unavailable.
    """
    return _ensure(image, nearest_width(image, width))


def ensure_clean_copy(image: Image) -> str:
    """The storage name of the full-size copy without metadata, made now if missing.

    Raises as `ensure_rendition` does.
    """
    return _ensure(image, None)


def _ensure(image: Image, width: int | None) -> str:
    name = rendition_path(image, width)
    if default_storage.exists(name):
        return name
    if image.render_state == Image.RenderState.FAILED:
        raise NoPreview
    try:
        _make(image, [width])
    except (isolation.Undecodable, Refusal) as error:
        logger.warning("Picture %s cannot be rendered: %s", image.pk, error)
        raise NoPreview from error
    return name


def widths_of(image: Image) -> list[int]:
    """The widths that are made of `image`, ascending."""
    last = next((width for width in WIDTHS if width >= image.width), WIDTHS[-1])
    return [width for width in WIDTHS if width <= last]


def nearest_width(image: Image, wanted: int) -> int:
    """The smallest width of `image` that reaches `wanted`, or else the largest."""
    widths = widths_of(image)
    return next((width for width in widths if width >= wanted), widths[-1])


# --- Both -------------------------------------------------------------------------


def _make(image: Image, widths: Sequence[int | None]) -> Picture:
    """Write the renditions of `widths` (None: the full size). Returns the smallest."""
    ordered = sorted(widths, key=lambda width: width or image.width, reverse=True)
    original = read_stored(original_of(image))
    *drawn, smallest = drawing.draw(original, (image.width, image.height), ordered)
    for width, content in zip(ordered, drawn, strict=True):
        replace_stored(rendition_path(image, width), ContentFile(content))
    if not Image.objects.filter(pk=image.pk).exists():
        # Purged while we drew, perhaps before we wrote.
        remove_renditions(image)
    return unpack(smallest)


def remove_renditions(image: Image) -> None:
    """Remove every rendition; the row may be gone already."""
    for width in (*WIDTHS, None):
        default_storage.delete(rendition_path(image, width))

"""The looks of pictures that came before looks were computed, or were computed so."""

from __future__ import annotations

import logging

from PIL import Image as PILImage
from PIL.Image import Image as Picture

from gallery.errors import Unavailable
from gallery.library import renditions
from gallery.library.looks import looks_of
from gallery.library.storage import read_stored, rendition_path
from gallery.models import Image

logger = logging.getLogger(__name__)


def catch_up(limit: int) -> int:
    """Compute the looks of up to `limit` pictures from their smallest renditions.
    Returns of how many.

    A rendition that is missing or damaged is made again, with the looks, within the
    few tries that renditions have. While the storage is down nothing is changed.
    """
    waiting = Image.objects.filter(looks=0, render_state=Image.RenderState.READY)
    done = 0
    for image in waiting.order_by("pk")[:limit]:
        try:
            picture = _smallest(image)
        except Unavailable as error:
            if error.code != "file_missing":
                logger.warning("The looks of pictures wait: the storage cannot be read.")
                break
            picture = None
        except (OSError, SyntaxError, ValueError):  # what Pillow raises on damaged files
            logger.warning("The smallest rendition of %s is damaged: made again.", image.pk)
            picture = None
        if picture is None:
            renditions.request_renditions(Image.objects.filter(pk=image.pk))
        else:
            Image.objects.filter(pk=image.pk).update(**looks_of(picture))
            done += 1
    return done


def _smallest(image: Image) -> Picture:
    name = rendition_path(image, renditions.widths_of(image)[0])
    return PILImage.open(read_stored(name)).convert("RGB")

"""Start again what failed of a picture, whatever it was."""

from __future__ import annotations

from django.db.models import QuerySet

from gallery.indexing import ledger
from gallery.library import renditions
from gallery.models import Image


def retry_failed(images: QuerySet[Image]) -> int:
    """Encoding and previews of those of `images` where they failed; how many began again."""
    undrawn = Image.objects.filter(pk__in=images.values("pk"))
    undrawn = undrawn.filter(render_state=Image.RenderState.FAILED)
    return max(ledger.retry_failed(images), renditions.request_renditions(undrawn))

"""Start again what failed of a picture, whatever it was."""

from __future__ import annotations

from django.db.models import QuerySet

from gallery.indexing import ledger
from gallery.library import renditions
from gallery.models import Image


def retry_failed(images: QuerySet[Image]) -> None:
    """Encoding and previews of those of `images` where they failed."""
    ledger.retry_failed(images)
    drawn_again = Image.objects.filter(pk__in=images.values("pk"))
    renditions.request_renditions(drawn_again.filter(render_state=Image.RenderState.FAILED))

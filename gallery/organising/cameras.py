"""The cameras with which pictures were taken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from django.db.models import Count

if TYPE_CHECKING:
    from gallery.models.image import ImageQuerySet

_MOST = 500


def cameras_of(images: ImageQuerySet) -> Iterable[Mapping[str, Any]]:
    """Return `camera` and `count`, the most used first, _MOST at most."""
    named = images.exclude(camera="").order_by().values("camera").annotate(count=Count("pk"))
    return named.order_by("-count", "camera")[:_MOST]

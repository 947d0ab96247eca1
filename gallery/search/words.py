"""Pictures by the words of their titles, descriptions, tags and file names."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib.auth.models import AnonymousUser

from gallery.models import User

if TYPE_CHECKING:
    from gallery.models.image import ImageQuerySet

Viewer = User | AnonymousUser


def with_words(images: ImageQuerySet, text: str, viewer: Viewer) -> ImageQuerySet:
    """`images` that have all the words of `text`: in title or description or, of the
    viewer's own, also in tags or the file name. None where `text` has no words."""
    return images.none()


def ranked(images: ImageQuerySet, text: str, viewer: Viewer, limit: int) -> list[UUID]:
    """The first `limit` of `with_words`, the best match first."""
    return []

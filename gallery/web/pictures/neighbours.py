"""The pictures before and after one, by capture time."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q, QuerySet
from django.urls import reverse

from gallery.indexing import selectors
from gallery.models import Image, Viewer
from gallery.models.image import ImageQuerySet


def beside(pictures: ImageQuerySet, image: Image) -> dict[str, str | None]:
    """Return the addresses of the neighbours of `image` among `pictures`, newest first: "previous"
    was taken later, "next" earlier. `pictures` need not contain `image`."""
    before, behind = later(pictures, image), _earlier(pictures, image)
    return {"previous": _address(before.first()), "next": _address(behind.first())}


def window(pictures: ImageQuerySet, image: Image, size: int) -> list[UUID]:
    """Return the ids of at most `size` pictures on either side of `image` among `pictures`, and
    its own between them, newest first."""
    before = list(later(pictures, image)[:size])
    return [*reversed(before), image.pk, *_earlier(pictures, image)[:size]]


def of_same_owner(image: Image, viewer: Viewer) -> dict[str, str | None]:
    """Return the neighbours for a page that was opened directly: among the pictures of the same
    owner that `viewer` may see, without the archive."""
    found = selectors.beside(image, viewer)
    return {side: _address(found.get(side)) for side in ("previous", "next")}


def _address(pk: UUID | None) -> str | None:
    return None if pk is None else reverse("image", args=[pk])


def later(pictures: ImageQuerySet, image: Image) -> QuerySet[Image, UUID]:
    """Return the ids of the pictures that were taken later, the nearest first."""
    found = pictures.filter(taken_at__gte=image.taken_at).filter(
        Q(taken_at__gt=image.taken_at) | Q(pk__gt=image.pk)
    )
    return found.order_by("taken_at", "pk").values_list("pk", flat=True)


def _earlier(pictures: ImageQuerySet, image: Image) -> QuerySet[Image, UUID]:
    earlier = pictures.filter(taken_at__lte=image.taken_at).filter(
        Q(taken_at__lt=image.taken_at) | Q(pk__lt=image.pk)
    )
    return earlier.order_by("-taken_at", "-pk").values_list("pk", flat=True)

"""The previous and the next picture, by capture time."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q
from django.urls import reverse

from gallery.models import Image, User
from gallery.models.image import ImageQuerySet


def beside(pictures: ImageQuerySet, image: Image) -> dict[str, str | None]:
    """Return the addresses of the neighbours of `image` among `pictures`, newest first: "previous"
    was taken later, "next" earlier. `pictures` need not contain `image`."""
    later = pictures.filter(taken_at__gte=image.taken_at).filter(
        Q(taken_at__gt=image.taken_at) | Q(pk__gt=image.pk)
    )
    earlier = pictures.filter(taken_at__lte=image.taken_at).filter(
        Q(taken_at__lt=image.taken_at) | Q(pk__lt=image.pk)
    )
    return {
        "previous": _address(later.order_by("taken_at", "pk")),
        "next": _address(earlier.order_by("-taken_at", "-pk")),
    }


def of_same_owner(image: Image, viewer: User | AnonymousUser) -> dict[str, str | None]:
    """Return the neighbours for a page that was opened directly: among the pictures of the same
    owner that `viewer` may see, without the archive."""
    visible = Image.objects.visible_to(viewer).filter(owner=image.owner_id)
    return beside(visible.filter(archived_at__isnull=True), image)


def _address(ordered: ImageQuerySet) -> str | None:
    pk = ordered.values_list("pk", flat=True).first()
    return None if pk is None else reverse("image", args=[pk])

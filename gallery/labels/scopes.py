"""The pictures that a set labels: those that its owner may see, or all for a set of the site."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gallery.indexing.selectors import visible_to
from gallery.models import Image, LabelSet

if TYPE_CHECKING:
    from gallery.models.image import ImageQuerySet


def labelled_by(label_set: LabelSet) -> ImageQuerySet:
    """Return the pictures, without an order. Nobody is shown a label of a picture that they may
    not see, whatever a set of the site labels."""
    if label_set.owner is not None:
        return visible_to(label_set.owner)
    everything: ImageQuerySet = Image.objects.filter(deleted_at=None).order_by()
    return everything

"""What filters leave of the pictures that somebody may see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from gallery.errors import Refusal
from gallery.indexing.selectors import visible_to
from gallery.models import Viewer
from gallery.search.filters import album_names, image_filter

if TYPE_CHECKING:
    from gallery.models.image import ImageQuerySet


@dataclass(frozen=True, eq=False)
class Narrowed:
    """The pictures of `viewer` that `filters` leave; an album is named by its id."""

    viewer: Viewer
    filters: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def images(self) -> ImageQuerySet:
        """In no order. Raises Refusal naming `filters.<name>`."""
        visible = visible_to(self.viewer)
        if not self.filters:
            return visible
        try:
            return image_filter.narrow(visible, self.filters, self.viewer)
        except Refusal as refusal:
            refusal.field = f"filters.{refusal.field}"
            raise


def checked(filters: Mapping[str, Any], viewer: Viewer) -> Narrowed:
    """What the filters of a query leave, with albums by their ids instead of their titles.
    Raises Refusal naming `filters.<name>` for a filter that is wrong."""
    narrowed = Narrowed(viewer, album_names.with_ids(filters, viewer))
    _ = narrowed.images  # what is wrong is refused here, and narrowed only once
    return narrowed

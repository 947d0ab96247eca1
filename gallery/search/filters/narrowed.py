"""The visible pictures that pass a query's filters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from gallery.errors import Refusal
from gallery.indexing.selectors import visible_to
from gallery.models import Viewer
from gallery.search.filters import album_names, dates, image_filter

if TYPE_CHECKING:
    from gallery.models.image import ImageQuerySet


@dataclass(frozen=True, eq=False)
class Narrowed:
    """The pictures that `viewer` may see and that pass `filters`. Albums are given by id."""

    viewer: Viewer
    filters: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def images(self) -> ImageQuerySet:
        """The pictures in no order. Raises Refusal naming `filters.<name>`."""
        visible = visible_to(self.viewer)
        if not self.filters:
            return visible
        try:
            return image_filter.narrow(visible, self.filters, self.viewer)
        except Refusal as refusal:
            refusal.field = f"filters.{refusal.field}"
            raise


def checked(filters: Mapping[str, Any], viewer: Viewer) -> Narrowed:
    """Return the pictures that pass the filters of a query, with ids in the place of album titles
    and days in the place of moving ones: further pages are of the same days, also after midnight.
    Raises Refusal naming `filters.<name>` for an invalid filter."""
    narrowed = Narrowed(viewer, album_names.with_ids(dates.all_fixed(filters), viewer))
    _ = narrowed.images  # refuses invalid filters now; the result is cached
    return narrowed

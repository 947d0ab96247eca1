"""The order of a query's pictures: by distance and, where words match, by both."""

from __future__ import annotations

from gallery.models import EmbeddingSpace, Image
from gallery.models.image import ImageQuerySet
from gallery.search import planner
from gallery.search.planner import Ranking
from gallery.search.results import Viewer
from gallery.search.window import Window


def rank(found: Window, space: EmbeddingSpace, viewer: Viewer, size: int) -> Ranking:
    """The first `size` pictures of the query in `found`, of those `viewer` may see."""
    return planner.nearest(space, found.vector, scope_of(found, viewer), size, found.kind)


def scope_of(found: Window, viewer: Viewer) -> ImageQuerySet:
    """What `found` searches: all that the viewer may see but the query pictures."""
    scope = Image.objects.visible_to(viewer)
    if found.exclude_sha256:
        scope = scope.exclude(sha256=found.exclude_sha256)
    return scope

"""Loading pictures with all that pages and the API show of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.models import AnonymousUser
from django.db.models import Prefetch

from gallery.indexing.ledger import with_state
from gallery.models import Tag, User

if TYPE_CHECKING:
    from gallery.models.image import ImageQuerySet


def for_showing(images: ImageQuerySet, viewer: User | AnonymousUser) -> ImageQuerySet:
    """`images` with their owner, their index state, whether `viewer` marked them, and
    the viewer's own tags: whatever a list shows, at the price of two queries.

    Nobody else's tags are loaded: they are private to their owner.
    """
    shown = with_state(images.with_favourite(viewer)).select_related("owner")
    own_tags = Tag.objects.filter(owner_id=viewer.pk or 0)
    return shown.prefetch_related(Prefetch("tags", own_tags))

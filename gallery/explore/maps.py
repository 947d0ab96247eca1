"""Decides which map is shown, when it is drawn again, and who draws it: one worker at a time,
with a lease of its row (gallery.work.leases)."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from gallery.explore.vectors import encoded
from gallery.indexing import states
from gallery.indexing.spaces import active_space
from gallery.models import EmbeddingSpace, ExploreMap
from gallery.work import leases
from gallery.work.leases import Lease

State = ExploreMap.State

# Fewer pictures need no map: people see them at a glance.
LEAST_PICTURES = 10
# The map is drawn again when this many pictures, as a share of those on it, were encoded since.
GROWTH = 0.5
# The least time between two maps while pictures still arrive.
PATIENCE = timedelta(minutes=10)
# A map that failed is drawn again after this time, or when an administrator asks for it.
RETRY_DELAY = timedelta(hours=6)
# Far longer than the time between two renewals.
LEASE = timedelta(seconds=60)


def shown() -> ExploreMap | None:
    """The map of the active space; until that is drawn for the first time, the map that was
    drawn last; None if there is no map yet."""
    drawn = ExploreMap.objects.filter(built_at__isnull=False).select_related("space")
    of_active = drawn.filter(space__state=EmbeddingSpace.State.ACTIVE).first()
    return of_active or drawn.order_by("-built_at").first()


def in_the_making() -> ExploreMap | None:
    """The map of the active space while it is not ready, with its state and progress."""
    return (
        ExploreMap.objects.filter(space__state=EmbeddingSpace.State.ACTIVE)
        .exclude(state=State.READY)
        .first()
    )


def due() -> EmbeddingSpace | None:
    """The active space if its map has to be drawn and no worker draws it."""
    space = active_space()
    if space is None or not space.is_loaded:
        return None
    known = ExploreMap.objects.filter(space=space).first()
    if known is not None and not _free().filter(pk=known.pk).exists():
        return None
    if known is None or known.built_at is None or known.state != State.READY:
        return space if _has_pictures(space, LEAST_PICTURES) else None
    if states.waiting(space).exists() and timezone.now() - known.built_at < PATIENCE:
        return None
    fresh = encoded(space).filter(encoded_at__gt=known.built_at)
    needed = max(1, round(known.laid_out * GROWTH))
    return space if fresh[:needed].count() >= needed else None


def claim(space: EmbeddingSpace) -> Lease[ExploreMap] | None:
    """Take the right to draw the map of `space`. Return None if another worker has it, or if
    the last attempt failed less than RETRY_DELAY ago."""
    drawn, _created = ExploreMap.objects.get_or_create(space=space)
    return leases.take(
        _free().filter(pk=drawn.pk), LEASE, state=State.BUILDING, progress=0, error=""
    )


def fail(lease: Lease[ExploreMap], reason: str) -> None:
    """Record a failure and wait RETRY_DELAY; `reason` is for the administrator. Raises Lost."""
    lease.release(state=State.FAILED, error=reason[:2000], not_before=timezone.now() + RETRY_DELAY)


def _free() -> QuerySet[ExploreMap]:
    return ExploreMap.objects.filter(leases.free(), Q(not_before=None) | Q(not_before__lte=Now()))


def draw_again(space: EmbeddingSpace) -> None:
    """Make a new map due at once, whatever the reasons to wait. A map that a worker draws at
    the moment is left alone."""
    ExploreMap.objects.filter(space=space).exclude(state=State.BUILDING).update(
        state=State.WAITING, not_before=None, error=""
    )


def _has_pictures(space: EmbeddingSpace, least: int) -> bool:
    return encoded(space)[:least].count() >= least
